// Users whose connections are lost are back, and get what they missed.
import Pusher from "pusher-js";
import Server from "pusher";

const sites = { on: process.env.SITE, off: process.env.OFF };
const servers = {};
for (const [app, site] of Object.entries(sites)) {
  const [host, port] = site.split(":");
  servers[app] = new Server({ appId: "app-" + app, key: "key-" + app, secret: "secret-1", host, port, useTLS: false });
}
const server = servers.on;
const equal = (what, got, want) => {
  if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(`${what}: ${JSON.stringify(got)}, not ${JSON.stringify(want)}`);
  console.log(what);
};
const event = (on, name) => new Promise((done) => on.bind(name, done));

// A page of a user. `got` are the events of its channels in the order in which they came.
class Page {
  constructor(user, { app = "on", channels, signIn = false }) {
    const [host, port] = sites[app].split(":");
    this.got = {};
    this.client = new Pusher("key-" + app, {
      cluster: "", wsHost: host, wsPort: port, forceTLS: false, enabledTransports: ["ws"], activityTimeout: 60_000,
      userAuthentication: { customHandler: ({ socketId }, done) => done(null, servers[app].authenticateUser(socketId, { id: user })) },
      channelAuthorization: { customHandler: ({ socketId, channelName }, done) => done(null, servers[app].authorizeChannel(socketId, channelName, channelName.startsWith("presence-") ? { user_id: user } : undefined)) },
    });
    if (signIn) this.client.signin();
    for (const name of channels) {
      this.got[name] = [];
      const channel = this.client.subscribe(name);
      channel.bind("n", (n) => this.got[name].push(n));
    }
    this.app = app;
    this.channels = channels;
    this.signIn = signIn;
  }
  async ready() {
    await Promise.all(this.channels.map((name) => {
      const channel = this.client.channel(name);
      return channel.subscribed ? undefined : event(channel, "pusher:subscription_succeeded");
    }));
    if (this.signIn) await this.client.user.signinDonePromise;
  }
  // lose cuts the connection as a dead network does: without a close frame. It returns when the server knows.
  // back connects again.
  async lose() {
    const before = await connections(this.app), connection = this.client.connection;
    const gone = new Promise((done) => (connection.retryIn = done));
    this.id = connection.socket_id;
    cut(connection.connection.transport.socket);
    await gone;
    for (const name of this.channels) this.client.channel(name).subscribed = false;
    while ((await connections(this.app)) >= before) await new Promise((done) => setTimeout(done, 5));
  }
  async back() {
    const connection = this.client.connection, again = event(connection, "connected");
    delete connection.retryIn;
    connection.retryIn(0);
    await again;
    await this.ready();
  }
}
const connections = async (app) => (await (await servers[app].get({ path: "/connections" })).json()).connections;
// cut destroys the TCP connection of a WebSocket of faye, which pusher-js uses in Node.
const cut = (socket) => socket._stream.destroy();

let n = 0;
const publish = async (channel, count = 1, params) => {
  for (let i = 0; i < count; i++) await server.trigger(channel, "n", ++n, params);
};
const upTo = async (page, channel, last) => { while (!page.got[channel].includes(last)) await new Promise((done) => setTimeout(done, 5)); };
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

// 1. A member of a presence channel, and a private channel of which nobody proves to be the one that was lost.
{
  const page = new Page("ann", { channels: ["presence-room", "private-plain"] }), other = new Page("bob", { channels: ["presence-room"] });
  await Promise.all([page.ready(), other.ready()]);
  await publish("presence-room", 3);
  await upTo(page, "presence-room", 3);
  await page.lose();
  await publish("presence-room", 20);
  await publish("presence-room", 1, { socket_id: page.id });
  await publish("presence-room", 20);
  await server.trigger("private-plain", "n", 0);
  const stranger = new Page("eve", { channels: ["presence-room"] });
  await stranger.ready();
  await page.back();
  const second = new Page("ann", { channels: ["presence-room"] });
  await second.ready();
  await publish("presence-room", 2);
  for (const p of [page, other, stranger, second]) await upTo(p, "presence-room", 46);
  equal("nothing missed, nothing twice, in order", page.got["presence-room"], [...range(1, 23), ...range(25, 46)]);
  equal("another member is sent nothing twice", other.got["presence-room"], range(1, 46));
  equal("somebody else gets nothing", stranger.got["presence-room"], [45, 46]);
  equal("the record is used once", second.got["presence-room"], [45, 46]);
  equal("without a proof there is nothing", page.got["private-plain"], []);
  for (const p of [page, other, stranger, second]) p.client.disconnect();
  while (await connections("on")) await new Promise((done) => setTimeout(done, 5));
}

// 2. A signed-in user, in private and public channels, again and again.
{
  const channels = ["private-news", "news"];
  const page = new Page("ann", { channels, signIn: true }), eve = new Page("eve", { channels, signIn: true });
  await Promise.all([page.ready(), eve.ready()]);
  const first = n + 1;
  for (let i = 0; i < 3; i++) {
    await publish(channels, 3);
    for (const name of channels) await upTo(page, name, n);
    await page.lose();
    await publish(channels, 3);
    await page.back();
  }
  await publish(channels);
  for (const name of channels) {
    await upTo(page, name, n);
    await upTo(eve, name, n);
    equal("all of " + name + ", once", page.got[name].toSorted((a, b) => a - b), range(first, n));
    equal("all to others", eve.got[name], range(first, n));
  }
  for (const p of [page, eve]) p.client.disconnect();
  while (await connections("on")) await new Promise((done) => setTimeout(done, 5));
}

// 3. Off by default.
{
  const page = new Page("ann", { app: "off", channels: ["presence-room"], signIn: true });
  await page.ready();
  await page.lose();
  await servers.off.trigger("presence-room", "n", 1);
  await page.back();
  await servers.off.trigger("presence-room", "n", 2);
  await upTo(page, "presence-room", 2);
  equal("off by default", page.got["presence-room"], [2]);
}
console.log("done");
process.exit(0);
