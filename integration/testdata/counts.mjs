// Subscribers of a channel learn how many they are, and so does the app.
import Pusher from "pusher-js";
import Server from "pusher";

const [host, port] = process.env.SITE.split(":");
const server = new Server({ appId: "my-app", key: "key-1", secret: "secret-1", host, port, useTLS: false });
const open = () => new Pusher("key-1", {
  cluster: "", wsHost: host, wsPort: port, forceTLS: false, enabledTransports: ["ws"],
  channelAuthorization: { customHandler: ({ socketId, channelName }, done) => done(null, server.authorizeChannel(socketId, channelName, { user_id: "ann" })) },
});
const equal = (what, got, want) => {
  if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(`${what}: ${JSON.stringify(got)}, not ${JSON.stringify(want)}`);
  console.log(what);
};
const counted = (channel) => new Promise((done) => channel.bind("pusher:subscription_count", ({ subscription_count }) => done(subscription_count)));
const hooks = async () => {
  const { headers, body } = await (await fetch(process.env.APP + "/next")).json();
  const hook = server.webhook({ headers, rawBody: body });
  if (!hook.isValid()) throw new Error("the library does not accept " + body);
  return hook.getEvents();
};

const ann = open(), bob = open();
const room = ann.subscribe("presence-room");
room.bind("pusher:subscription_count", () => { throw new Error("a presence channel has members"); });
await new Promise((done) => room.bind("pusher:subscription_succeeded", done));
const news = ann.subscribe("news"), his = bob.subscribe("news");
equal("both learn of both", await Promise.all([counted(news), counted(his)]), [2, 2]);
equal("the library keeps it", news.subscriptionCount, 2);
equal("the app as well", await hooks(), [{ name: "subscription_count", channel: "news", subscription_count: 2 }]);
const fewer = counted(news);
bob.disconnect();
equal("one is gone", await fewer, 1);
equal("which the app learns", await hooks(), [{ name: "subscription_count", channel: "news", subscription_count: 1 }]);
console.log("done");
process.exit(0);
