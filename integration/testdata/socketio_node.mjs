const first = client({ auth: { token: token("ann"), more: 1 } });
const [auth] = await event(first, "auth");
equal("on_connect", auth.more, 1);
const ann = first, bob = await connected({ auth: { token: token("bob") } }), eve = await connected();
equal("ids", [ann.id, bob.id, eve.id].every((id) => /^[a-z2-7]{16}$/.test(id)) && new Set([ann.id, bob.id, eve.id]).size, 3);

// The calls of the chat tutorial.
const heard = { ann: [], bob: [], eve: [] };
for (const [name, socket] of Object.entries({ ann, bob, eve })) socket.on("chat message", (...args) => heard[name].push(args));
const text = "hello \u00e9 \u{1f600} </script>";
ann.emit("chat message", text);
equal("acknowledged", (await asked(ann, "chat message", "second", { b: 1, a: [null, 1.5] }))[0].ok, true);
await asked(bob, "typing");
await new Promise((done) => setTimeout(done, 100));
for (const name of ["ann", "bob", "eve"]) equal("chat message to " + name, heard[name], [[text], ["second", { b: 1, a: [null, 1.5] }]]);

let got = event(bob, "typing");
const own = [];
ann.on("typing", () => own.push(1));
ann.emit("typing", { on: true });
equal("others", await got, [{ on: true }]);
equal("not to the sender", own, []);

equal("join", (await asked(bob, "enter", "open:1"))[0], { ok: true, room: "open:1" });
got = event(bob, "room message");
ann.emit("room message", "open:1", "to the room", 2);
equal("room", (await got).slice(0, 2), ["to the room", 2]);
equal("deny", (await asked(ann, "private x", 1))[0].error.code, "forbidden");
equal("unknown event", (await asked(eve, "no such", 1)).length, 1);

// Binary data.
const data = Buffer.from([0, 1, 2, 253, 254, 255]);
equal("binary acknowledgement", (await asked(ann, "with ack", data, { deep: [data] })).map((v) => (v.deep?.[0] ?? v).toString("hex")), [data.toString("hex"), data.toString("hex")]);
got = event(bob, "picture");
ann.emit("picture", { name: "a", data }, data);
const [picture, second] = await got;
equal("binary event", [picture.name, picture.data.toString("hex"), second.toString("hex")], ["a", data.toString("hex"), data.toString("hex")]);
const large = Buffer.alloc(40000, 7);
got = event(bob, "picture");
ann.emit("picture", large);
equal("large binary event", (await got)[0].equals(large), true);

// Namespaces, and why one may not connect.
const admin = client({ auth: { token: token("ann") } }, "/admin");
await event(admin, "connect");
equal("namespace", (await asked(admin, "any", 1)), [1]);
const nowhere = client({}, "/nowhere");
equal("invalid namespace", (await event(nowhere, "connect_error"))[0].message, "Invalid namespace");
const forged = client({ auth: { token: token("ann", "another secret of 32 bytes or so!") } });
const [refusal] = await event(forged, "connect_error");
equal("refused token", [refusal.data.code, forged.connected], ["unauthorized", false]);
const closed = client({}, "/users");
equal("a namespace for users", (await event(closed, "connect_error"))[0].data.code, "unauthorized");
const opened = client({ auth: { token: token("ann") } }, "/users");
await event(opened, "connect");
say("a user in it");

// Several namespaces over one connection.
const manager = io(site, { transports, forceNew: true });
all.push(manager);
const side = manager.io.socket("/admin");
await Promise.all([event(manager, "connect"), event(side, "connect")]);
side.disconnect();
equal("the other namespace stays", (await asked(manager, "with ack", 5)), [5]);

// The rooms profile, with members and history.
const joined = (await asked(ann, "join", { room: "kept:1", history: 10 }))[0];
equal("joined", [joined.ok, joined.members, joined.history], [true, [{ id: "ann", user: "ann" }], []]);
got = event(ann, "presence:join");
const others = (await asked(bob, "join", "kept:1"))[0].members.map((m) => m.id).sort();
equal("members", others, ["ann", "bob"]);
equal("presence:join", await got, [{ id: "bob", user: "bob" }, { room: "kept:1" }]);
got = event(bob, "message");
const sent = (await asked(ann, "message", "kept:1", { text: "hi" }))[0];
const [content, meta] = await got;
equal("message", [content, meta.room, meta.from, meta.id === sent.id, typeof meta.ts], [{ text: "hi" }, "kept:1", { id: "ann", user: "ann" }, true, "number"]);
equal("not in the room", (await asked(eve, "message", "kept:1", 1))[0].error.code, "not_in_room");
equal("a room for users", (await asked(eve, "join", "members:1"))[0].error.code, "unauthorized");
equal("no room", (await asked(eve, "join", "else"))[0].error.code, "forbidden");
equal("bad room", (await asked(eve, "join", "io:/admin"))[0].error.code, "bad_room");
equal("history", (await asked(eve, "join", { room: "kept:1", since: joined.position }))[0].history.map((m) => [m.event, m.args]), [["message", [{ text: "hi" }]]]);
got = event(ann, "presence:leave");
await asked(bob, "leave", "kept:1");
equal("presence:leave", (await got)[0].id, "bob");

// A native client and the app, in the same rooms.
const native = new WebSocket("ws://" + process.env.SITE + "/rt");
const messages = [], waiting = [];
native.addEventListener("message", ({ data }) => { messages.push(JSON.parse(data)); waiting.splice(0).forEach((f) => f()); });
const received = async (what) => { for (;;) { const i = messages.findIndex(what); if (i >= 0) return messages.splice(i, 1)[0]; await new Promise((done) => waiting.push(done)); } };
native.addEventListener("open", () => ["kept:1", "io:/"].forEach((channel, id) => native.send(JSON.stringify({ type: "subscribe", id, payload: { channel } }))));
await received((m) => m.type === "subscribed" && m.payload.channel === "io:/");
got = event(ann, "news");
native.send(JSON.stringify({ type: "message", payload: { channel: "kept:1", event: "news", content: { from: "native" } } }));
equal("from a native client", (await got)[0], { from: "native" });
ann.emit("message", "kept:1", "to native");
ann.emit("chat message", "one");
ann.emit("chat message", "one", "two");
equal("to a native client", (await received((m) => m.type === "message" && m.payload.sender === "ann" && m.payload.channel === "kept:1")).payload.content, "to native");
equal("one argument", (await received((m) => m.payload?.channel === "io:/" && m.type === "message")).payload.content, "one");
equal("two arguments", (await received((m) => m.payload?.channel === "io:/" && m.type === "message")).payload.content, ["one", "two"]);
native.close();
const api = (method, path, body) => fetch(site + "/rt" + path, { method, headers: { Authorization: "Bearer key-of-the-app-0123456789", "Content-Type": "application/json" }, body: JSON.stringify(body) });
got = event(eve, "from the app");
equal("published", (await api("POST", "/channels/io:%2F/messages", { event: "from the app", content: [1, 2], tags: { socketio: "args" } })).status, 200);
equal("from the app", await got, [1, 2]);

// Everything else is a call to the app.
equal("call", await asked(ann, "new message", "x"), [{ n: 42 }]);

if (process.env.CLIENT === "socket.io-client") {
  const careful = await connected({ retries: 3, ackTimeout: 5000, auth: { token: token("cat") } });
  const order = [];
  bob.on("chat message", (n) => order.push(n));
  careful.emit("private x", 1); // rejected, and acknowledged all the same
  for (let i = 0; i < 5; i++) careful.emit("chat message", i);
  await asked(careful, "with ack");
  await asked(bob, "with ack");
  equal("retries", order, [0, 1, 2, 3, 4]);
  equal("emitWithAck", await careful.timeout(2000).emitWithAck("with ack", 7), 7);
}

// Reloads keep connections.
const ends = [];
for (const socket of [ann, bob, eve]) socket.on("disconnect", (reason) => ends.push(reason));
for (let i = 0; i < 6; i++) {
  await ask("reload");
  got = Promise.all([ann, bob, eve].map((socket) => event(socket, "chat message")));
  ann.emit("chat message", i);
  equal("after a reload", await got, [[i], [i], [i]]);
}
equal("nobody was disconnected", ends, []);

// A connection that is lost comes back.
let back = event(ann, "connect");
ann.io.engine.close();
await back;
got = event(bob, "chat message");
ann.emit("chat message", "back");
equal("reconnected", await got, ["back"]);

// One that does not speak the protocol is closed, and the client tries again.
back = event(eve, "connect");
got = event(eve, "disconnect");
eve.io.engine.write("2[]");
equal("broken packet", ["transport close", "transport error"].includes((await got)[0]), true);
await back;
say("and is back");

// Whom the app kicks and bans does not come back by itself.
got = event(bob, "disconnect");
equal("kicked", (await api("DELETE", "/users/bob/connections", {})).status, 200);
equal("kick", (await got)[0], "io server disconnect");
await new Promise((done) => setTimeout(done, 300));
equal("stays away", bob.connected, false);

all.forEach((socket) => socket.disconnect());
say("done");
process.exit(0);
