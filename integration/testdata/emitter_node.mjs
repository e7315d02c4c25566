// Drives @socket.io/redis-emitter, which is not ours, and socket.io-client at two nodes on one Redis.
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
const nodes = [site, "http://" + process.env.OTHER];
const got = [];
const open = async (name, at) => {
  const socket = io(nodes[at], { transports, forceNew: true });
  all.push(socket);
  await event(socket, "connect");
  socket.onAny((event, ...args) => got.push([name, event, ...args.filter((arg) => !arg?.ts)]));
  return socket;
};
const a = await open("a", 0), b = await open("b", 1), c = await open("c", 1);
const admin = io(nodes[1] + "/admin", { transports, forceNew: true });
all.push(admin);
await event(admin, "connect");
admin.onAny((event, ...args) => got.push(["admin", event, ...args]));
await asked(b, "join", "kept:1");
await asked(c, "join", "kept:1");
await asked(c, "join", "open:2");

// Every client gets a last event in the end: what it should not get would have come before it.
let round = 0;
const heard = async (what, send, want) => {
  got.length = 0;
  round++;
  send();
  emitter.emit("end", round);
  emitter.of("/admin").emit("end", round);
  for (let n = 0; got.filter((line) => line[1] === "end" && line[2] === round).length < 4; n++) {
    if (n > 500) throw new Error(what + ": heard only " + JSON.stringify(got));
    await new Promise((done) => setTimeout(done, 10));
  }
  const text = got.filter((line) => line[1] !== "end").map((line) => JSON.stringify(line)).sort();
  equal(what, text, want.map((line) => JSON.stringify(line)).sort());
};
await heard("to all", () => emitter.emit("e", { b: [true, null], a: "ü" }, 1.5), ["a", "b", "c"].map((name) => [name, "e", { b: [true, null], a: "ü" }, 1.5]));
await heard("to a room", () => emitter.to("kept:1").emit("e", 1), [["b", "e", 1], ["c", "e", 1]]);
await heard("to two rooms", () => emitter.to(["kept:1", "open:2"]).emit("e", 2), [["b", "e", 2], ["c", "e", 2]]);
await heard("but not to a room", () => emitter.to("kept:1").except("open:2").emit("e", 3), [["b", "e", 3]]);
await heard("but not to a socket", () => emitter.except(a.id).emit("e", 4), [["b", "e", 4], ["c", "e", 4]]);
await heard("to a socket", () => emitter.to(a.id).emit("e", 5), [["a", "e", 5]]);
await heard("volatile", () => emitter.volatile.to("open:2").emit("e", 6), [["c", "e", 6]]);
await heard("in a namespace", () => emitter.of("/admin").emit("e", 7), [["admin", "e", 7]]);
await heard("binary", () => emitter.to(a.id).emit("e", Buffer.from("hi"), [new Uint8Array([1])]), [["a", "e", Buffer.from("hi"), [Buffer.from([1])]]]);
await heard("many in order", () => { for (let n = 0; n < 300; n++) emitter.to("open:2").emit("e", n); }, Array.from({ length: 300 }, (_, n) => ["c", "e", n]));
await heard("python-socketio", () => publish("socketio", JSON.stringify({ method: "emit", event: "e", binary: false, data: [8], namespace: "/", room: "open:2", skip_sid: null, callback: null, host_id: "h" })), [["c", "e", 8]]);
await heard("a pickle", () => publish("socketio", Buffer.from("8004952e000000000000007d948c066d6574686f64948c04656d69749475" + "2e", "hex")), []);
await heard("a room is joined", () => { emitter.in(a.id).socketsJoin("open:2"); emitter.to("open:2").emit("e", 9); }, [["a", "e", 9], ["c", "e", 9]]);
await heard("a room is left", () => { emitter.in("kept:1").socketsLeave("open:2"); emitter.to("open:2").emit("e", 10); }, [["a", "e", 10], ["c", "unsubscribed", { room: "open:2", error: { code: "forbidden", message: "the app has unsubscribed you from this channel" } }]]);
const history = await asked(await open("d", 0), "join", { room: "kept:1", history: 10 });
equal("the history has each once", history[0].history.map(({ args }) => args[0]), [1, 2, 3]);
emitter.in("kept:1").except(a.id).disconnectSockets(true);
equal("closed", (await Promise.all([event(b, "disconnect"), event(c, "disconnect")])).map(([reason]) => reason), ["io server disconnect", "io server disconnect"]);
all.forEach((socket) => socket.close());
redis.destroy();
say("done");
process.exit(0);
