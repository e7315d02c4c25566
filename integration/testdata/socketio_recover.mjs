// Connection state recovery, as socket.io-client sees it. A relay between the clients and the site holds
// back what the site sends, and cuts the line.
import net from "node:net";

const pairs = new Set();
let held = false;
const relay = net.createServer((near) => {
  const [host, port] = process.env.SITE.split(":");
  const far = net.connect(port, host), line = { near, far };
  pairs.add(line);
  near.on("data", (b) => far.write(b));
  far.on("data", (b) => held || near.write(b));
  for (const end of [near, far]) end.on("error", () => {}).on("close", () => { near.destroy(); far.destroy(); pairs.delete(line); });
});
await new Promise((done) => relay.listen(0, "127.0.0.1", done));
const through = "http://127.0.0.1:" + relay.address().port;
const cut = () => { held = false; pairs.forEach(({ near, far }) => { near.destroy(); far.destroy(); }); };

const manager = io(through, { transports, forceNew: true, auth: { token: token("ann") }, reconnectionDelay: 300, reconnectionDelayMax: 300 });
const admin = manager.io.socket("/admin", { auth: { token: token("ann") } });
const spaces = { "/": manager, "/admin": admin };
await Promise.all(Object.values(spaces).map((socket) => event(socket, "connect")));
equal("a new session", [manager.recovered, admin.recovered], [false, false]);
const bob = await connected({ auth: { token: token("bob") } });
const api = (method, path, body) => fetch(site + "/rt" + path, { method, headers: { Authorization: "Bearer key-of-the-app-0123456789", "Content-Type": "application/json" }, body: JSON.stringify(body) });
await asked(manager, "enter", "kept:relay");
await asked(manager, "join", "kept:profile");
await asked(admin, "join", "kept:in-admin");
equal("the app puts it into a room", (await api("POST", "/connections/" + manager.id + "/channels/kept%3Aapp", {})).status < 300, true);

const rooms = ["io:/", "kept:relay", "kept:profile", "kept:app", "admin:kept:in-admin"];
const got = Object.fromEntries(rooms.map((room) => [room, []])), sent = Object.fromEntries(rooms.map((room) => [room, []]));
for (const socket of Object.values(spaces)) socket.on("news", ({ room, n }) => got[room].push(n));
let n = 0;
const publish = async (count) => {
  for (let i = 0; i < count; i++) {
    const room = rooms[n % rooms.length];
    sent[room].push(n);
    const { status } = await api("POST", "/channels/" + encodeURIComponent(room) + "/messages", { event: "news", content: { room, n: n++ } });
    if (status !== 200) throw new Error("status " + status);
  }
};
const whole = async (what) => {
  for (let i = 0; i < 100 && JSON.stringify(got) !== JSON.stringify(sent); i++) await new Promise((done) => setTimeout(done, 20));
  equal(what, got, sent);
};
const lose = async (how) => {
  const before = [manager.id, admin.id], back = Object.values(spaces).map((socket) => event(socket, "connect"));
  const gone = event(manager, "disconnect");
  how();
  await gone;
  await publish(7);
  await Promise.all(back);
  return [manager.recovered, admin.recovered, manager.id === before[0], admin.id === before[1]];
};
await publish(10);
await whole("before");
held = true; // these are sent, and never arrive
await publish(10);
equal("after a cut", await lose(cut), [true, true, true, true]);
await whole("exactly once, in order");
equal("after the client has closed its transport", await lose(() => manager.io.engine.close()), [true, true, true, true]);
await publish(3);
await whole("again");
let message = event(bob, "message");
await asked(bob, "join", "kept:profile");
await asked(manager, "message", "kept:profile", "still there");
equal("still in the room", (await message)[0], "still there");
await ask("reload");
equal("after a reload", await lose(cut), [true, true, true, true]);
await whole("after the reload");

// Who must not recover.
const stranger = io(site, { transports, forceNew: true, auth: { token: token("eve"), pid: manager._pid, offset: manager._lastOffset } });
await event(stranger, "connect");
equal("a stranger", [stranger.recovered, stranger.id === manager.id], [false, false]);
all.push(stranger);
manager.io.reconnection(false);
const gone = event(manager, "disconnect");
cut();
await gone;
await publish(120);
manager.connect();
await event(manager, "connect");
equal("a history that is too short", manager.recovered, false);
let back = event(bob, "connect");
await ask("crash");
await back;
equal("after a crash", bob.recovered, false);
equal("and nothing is missed silently", (await asked(bob, "join", { room: "kept:profile", history: 5 }))[0].history.length, process.env.KEPT === "no" ? 0 : 5);
for (const socket of [manager, admin, ...all]) socket.disconnect();
relay.close();
cut();
say("done");
process.exit(0);
