// Drives @socket.io/redis-emitter at a single node: what concerns clients keeps its place.
import net from "node:net";

const { Emitter } = await import("@socket.io/redis-emitter");
const [redisHost, redisPort] = process.env.REDIS.split(":");
const redis = net.connect(Number(redisPort), redisHost);
redis.resume();
const publish = (channel, message) => {
  const parts = ["PUBLISH", channel, message].map((part) => Buffer.from(part));
  redis.write(Buffer.concat([Buffer.from("*3\r\n"), ...parts.flatMap((part) => [Buffer.from("$" + part.length + "\r\n"), part, Buffer.from("\r\n")])]));
};
const emitter = new Emitter({ publish });
const open = async () => {
  const socket = io(site, { transports, forceNew: true });
  all.push(socket);
  await event(socket, "connect");
  const got = [];
  socket.onAny((event, ...args) => got.push(event + (typeof args[0] === "number" ? args[0] : "")));
  socket.on("disconnect", (reason) => got.push(reason));
  return [socket, got];
};
const until = async (what, got, last, want) => {
  for (let n = 0; got.at(-1) !== last; n++) {
    if (n > 500) throw new Error(what + ": " + JSON.stringify(got));
    await new Promise((done) => setTimeout(done, 10));
  }
  equal(what, got, want);
};
const [a, heard] = await open();
const numbers = Array.from({ length: 50 }, (_, n) => n);
for (const n of numbers) {
  emitter.emit("all", n);
  emitter.in(a.id).emit("one", n);
  emitter.in(a.id).socketsJoin("open:1");
  emitter.to("open:1").emit("room", n);
  emitter.in(a.id).socketsLeave("open:1");
  emitter.to("open:1").emit("not for it", n);
}
emitter.in(a.id).disconnectSockets();
await until("each at its place", heard, "io server disconnect", [...numbers.flatMap((n) => ["all" + n, "one" + n, "room" + n, "unsubscribed"]), "io server disconnect"]);
const [b, told] = await open();
await asked(b, "join", "open:2");
emitter.to("open:2").emit("bye");
emitter.in("open:2").disconnectSockets();
await until("told and disconnected", told, "io server disconnect", ["bye", "io server disconnect"]);
all.forEach((socket) => socket.close());
redis.destroy();
say("done");
process.exit(0);
