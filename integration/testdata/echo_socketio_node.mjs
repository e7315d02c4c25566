// Drives Laravel Echo by its broadcaster socket.io, both of which are not ours.
const { default: Echo } = await import("laravel-echo");
const open = async (user) => {
  const echo = new Echo({
    broadcaster: "socket.io", client: io, host: site, transports, forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 100, withoutInterceptors: true,
    auth: { headers: { Authorization: "Bearer " + user, "X-CSRF-TOKEN": "csrf", "X-Forwarded-For": "6.6.6.6" } },
  });
  all.push(echo.connector.socket);
  if (!echo.connector.socket.connected) await event(echo.connector.socket, "connect");
  return echo;
};
const publish = async (channel, name, content) => {
  const answer = await fetch(site + "/rt/channels/" + encodeURIComponent(channel) + "/messages", {
    method: "POST", headers: { Authorization: "Bearer key-of-the-app-0123456789", "Content-Type": "application/json" }, body: JSON.stringify({ event: name, content }),
  });
  if (!answer.ok) throw new Error("publishing: " + answer.status + " " + (await answer.text()));
};
// The server handles what a client sends in order: the answer to this one says that all is done.
const settled = (echo) => asked(echo.connector.socket, "unsubscribe", { channel: "nothing" });
const heard = (set) => new Promise((done) => set((value) => done(value)));

const ann = await open("ann"), bob = await open("bob");
const news = heard((done) => ann.channel("news").listen("OrderShipped", done));
await settled(ann);
await publish("news", "App\\Events\\OrderShipped", { b: 1, a: "ü" });
equal("a public channel", await news, { b: 1, a: "ü" });

const order = heard((done) => ann.private("orders").listen(".shipped", done));
bob.private("orders");
await settled(ann);
await settled(bob);
await publish("private-orders", "shipped", { id: 7 });
equal("a private channel", await order, { id: 7 });

const typing = heard((done) => bob.private("orders").listenForWhisper("typing", done));
ann.private("orders").listenForWhisper("typing", () => { throw new Error("a whisper came back"); });
ann.private("orders").whisper("typing", { name: "ann" });
equal("a whisper", await typing, { name: "ann" });

const refused = (echo, channel) => new Promise((done) => echo.connector.socket.on("subscription_error", (name, status) => name === channel && done(status)));
for (const [name, status] of [["forbidden", 403], ["broken", 500], ["slow", 503], ["expired", 419]]) {
  const error = refused(ann, "private-" + name);
  ann.private(name).listen(".x", () => { throw new Error("heard of " + name); });
  equal("no way into " + name, await error, status);
}
const memberless = refused(ann, "presence-memberless");
ann.join("memberless");
equal("a channel with presence needs a member", await memberless, 500);

const here = await heard((done) => ann.join("room").here(done));
equal("alone", here, [{ name: "Ann ann" }]);
const joining = heard((done) => ann.join("room").joining(done));
const both = await heard((done) => bob.join("room").here(done));
equal("both are here", both.map(({ name }) => name).sort(), ["Ann ann", "Ann bob"]);
equal("bob joins", await joining, { name: "Ann bob" });
const leaving = heard((done) => ann.join("room").leaving(done));
bob.leave("room");
equal("bob leaves", await leaving, { name: "Ann bob" });

ann.leave("orders");
await settled(ann);
equal("a whisper from outside", (await asked(ann.connector.socket, "client event", { channel: "private-orders", event: "client-typing", data: 1 }))[0].error.code, "not_in_room");
equal("a whisper of another name", (await asked(bob.connector.socket, "client event", { channel: "private-orders", event: "shipped", data: 1 }))[0].error.code, "forbidden");
equal("a public whisper", (await asked(ann.connector.socket, "client event", { channel: "news", event: "client-x", data: 1 }))[0].error.code, "forbidden");

const again = heard((done) => bob.private("orders").listen(".again", done));
const back = new Promise((done) => bob.connector.socket.io.once("reconnect", done));
bob.connector.socket.io.engine.close();
await back;
await settled(bob);
await publish("private-orders", "again", 1);
equal("after a reconnect", await again, 1);
all.forEach((socket) => socket.close());
say("done");
process.exit(0);
