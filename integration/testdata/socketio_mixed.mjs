// A native client, one of Pusher and one of Socket.IO are in the same room, and see the same messages.
import Pusher from "pusher-js";
import Server from "pusher";

const room = "private-room", [host, port] = process.env.SITE.split(":");
const server = new Server({ appId: "my-app", key: "key-1", secret: "secret-1", host, port, useTLS: false });
const seen = { native: [], pusher: [], socketio: [] }, waiting = [];
const note = (who, name, content) => { seen[who].push([name, content]); waiting.splice(0).forEach((f) => f()); };
const until = async (done) => { while (!done()) await new Promise((f) => waiting.push(f)); };

const pusher = new Pusher("key-1", {
  cluster: "", wsHost: host, wsPort: port, forceTLS: false, enabledTransports: ["ws"],
  channelAuthorization: { customHandler: ({ socketId, channelName }, done) => done(null, server.authorizeChannel(socketId, channelName)) },
});
const channel = pusher.subscribe(room);
await new Promise((done) => channel.bind("pusher:subscription_succeeded", done));
channel.bind_global((name, content) => name.startsWith("pusher:") || note("pusher", name, content));

const socket = await connected();
equal("joined", (await asked(socket, "join", room))[0].ok, true);
socket.onAny((name, content) => note("socketio", name, content));

const native = new WebSocket("ws://" + process.env.SITE + "/rt");
const told = new Promise((done) => native.addEventListener("message", ({ data }) => {
  const { type, payload } = JSON.parse(data);
  if (type === "subscribed") done();
  if (type === "message") note("native", payload.event, payload.content);
}));
native.addEventListener("open", () => native.send(JSON.stringify({ type: "subscribe", id: 1, payload: { channel: room } })));
await told;

const everybody = (n) => () => seen.native.length === n && seen.pusher.length === n && seen.socketio.length === n;
const api = (event, content) => fetch(site + "/rt/channels/" + room + "/messages", {
  method: "POST", headers: { Authorization: "Bearer key-of-the-app-0123456789", "Content-Type": "application/json" }, body: JSON.stringify({ event, content }),
});
const content = { n: 1.5, text: "\u00e9 </script>", deep: [null, { b: 1, a: 2 }] };
equal("published by the API", (await api("news", content)).status, 200);
await until(everybody(1));
await server.trigger(room, "news", content);
await until(everybody(2));
for (const who of Object.keys(seen)) equal("of the app, to " + who, seen[who], [["news", content], ["news", content]]);

native.send(JSON.stringify({ type: "message", id: 2, payload: { channel: room, event: "client-said", content: "native" } }));
await until(() => seen.pusher.length === 3 && seen.socketio.length === 3);
socket.emit("message", room, "socketio");
await until(() => seen.pusher.length === 4);
channel.trigger("client-said", "pusher");
await until(() => seen.socketio.length === 4);
const said = (who) => seen[who].slice(2).map(([, text]) => text).filter((text) => text !== who);
await until(() => said("native").length === 2);
equal("of the others, to native", said("native"), ["socketio", "pusher"]);
equal("of the others, to pusher", said("pusher"), ["native", "socketio"]);
equal("of the others, to socketio", said("socketio"), ["native", "pusher"]);
say("done");
process.exit(0);
