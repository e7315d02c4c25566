// Subscribers of a channel learn how many they are, and so does the app.
import Pusher from "pusher-js";
import Server from "pusher";

const [host, port] = process.env.SITE.split(":");
const server = new Server({ appId: "my-app", key: "key-1", secret: "secret-1", host, port, useTLS: false });
const open = (user, watchlist) => new Pusher("key-1", {
  cluster: "", wsHost: host, wsPort: port, forceTLS: false, enabledTransports: ["ws"],
  userAuthentication: { customHandler: ({ socketId }, done) => done(null, server.authenticateUser(socketId, { id: user, watchlist })) },
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

const ann = open("ann", []), bob = open("bob", []);
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

const eve = open("eve", ["ann", "joe", "bob"]);
const watched = (name) => new Promise((done) => eve.user.watchlist.bind(name, ({ user_ids }) => done(user_ids)));
ann.user.watchlist.bind("online", () => { throw new Error("ann watches nobody"); });
const joe = open("joe", []);
for (const client of [ann, joe]) client.signin();
await Promise.all([ann.user.signinDonePromise, joe.user.signinDonePromise]);
const many = open("many", Array.from({ length: 101 }, (_, i) => "user-" + i));
const tooMany = new Promise((done) => many.connection.bind("error", (e) => done((e.data ?? e.error?.data).code)));
const some = new Promise((done) => many.user.watchlist.bind("offline", ({ user_ids }) => done(user_ids.length)));
many.signin();
const first = Promise.all([watched("online"), watched("offline")]);
eve.signin();
equal("who is online", await first, [["ann", "joe"], ["bob"]]);
equal("a list that is too long", await Promise.all([tooMany, some]), [4302, 100]);
const gone = watched("offline");
joe.disconnect();
equal("joe is gone", await gone, ["joe"]);
const back = watched("online");
joe.connect();
equal("joe is back", await back, ["joe"]);
console.log("done");
process.exit(0);
