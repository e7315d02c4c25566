// Drives a site whose app gets webhooks, and verifies these with the package of Pusher.
import Pusher from "pusher-js";
import Server from "pusher";

const [host, port] = process.env.SITE.split(":");
const server = new Server({ appId: "my-app", key: "key-1", secret: "secret-1", host, port, useTLS: false });
const event = (on, name) => new Promise((done) => on.bind(name, done));
const open = async (user) => {
  const client = new Pusher("key-1", {
    cluster: "", wsHost: host, wsPort: port, forceTLS: false, enabledTransports: ["ws"],
    channelAuthorization: { customHandler: ({ socketId, channelName }, done) =>
      done(null, server.authorizeChannel(socketId, channelName, channelName.startsWith("presence-") ? { user_id: user, user_info: {} } : undefined)) },
  });
  await event(client.connection, "connected");
  return client;
};

// expect waits for webhooks, in any order between channels and in this order within one.
const got = [];
const expect = async (what, ...want) => {
  while (want.length > 0) {
    if (got.length === 0) {
      const { headers, body } = await (await fetch(process.env.APP + "/next")).json();
      const hook = server.webhook({ headers, rawBody: body });
      if (!hook.isValid()) throw new Error(what + ": the library does not accept " + body + " " + JSON.stringify(headers));
      if (Math.abs(hook.getTime() - Date.now()) > 60000) throw new Error("time_ms of " + body);
      got.push(...hook.getEvents());
      continue;
    }
    const text = JSON.stringify(got.shift());
    const i = want.findIndex((w) => JSON.stringify(w) === text);
    if (i < 0) throw new Error(what + ": " + text + " is none of " + JSON.stringify(want));
    want.splice(i, 1);
  }
  console.log(what);
};
const occupied = (channel) => ({ name: "channel_occupied", channel });
const vacated = (channel) => ({ name: "channel_vacated", channel });
const member = (name, channel, user_id) => ({ name, channel, user_id });

const ann = await open("ann"), bob = await open("bob");
const subscribe = async (client, name) => {
  const channel = client.subscribe(name);
  await event(channel, "pusher:subscription_succeeded");
  return channel;
};
await subscribe(ann, "news");
await expect("occupied", occupied("news"));

const room = await subscribe(ann, "presence-room");
await expect("a member", occupied("presence-room"), member("member_added", "presence-room", "ann"));
const his = await subscribe(bob, "presence-room");
await expect("another member", member("member_added", "presence-room", "bob"));
his.trigger("client-typing", { a: "<é>" });
await expect("client event", { name: "client_event", channel: "presence-room", user_id: "bob", event: "client-typing", data: '{"a":"<é>"}', socket_id: bob.connection.socket_id });
await server.trigger("presence-room", "client-not", {}); // of the app

const start = Date.now();
ann.unsubscribe("news"); // and comes back in time
bob.unsubscribe("presence-room");
await new Promise((done) => setTimeout(done, 500));
await subscribe(ann, "news");
await subscribe(bob, "other");
await expect("others do not wait", occupied("other"));
await expect("held back", member("member_removed", "presence-room", "bob"));
if (Date.now() - start < 2900) throw new Error("not held back: " + (Date.now() - start));
ann.unsubscribe("news");
await expect("vacated", vacated("news"));
