// A page whose subscriptions PHP signs. It hears what PHP publishes, from the command line and behind
// PHP-FPM.
import Pusher from "pusher-js";
import readline from "node:readline";

const [host, port] = process.env.SITE.split(":");
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const client = new Pusher("key-1", {
  cluster: "", wsHost: host, wsPort: port, forceTLS: false, enabledTransports: ["ws"],
  channelAuthorization: { endpoint: `http://${process.env.SITE}/broadcasting/auth`, headers: { "X-User": "7" } },
});
const event = (on, name) => new Promise((done) => on.bind(name, done));
const equal = (what, got, want) => {
  if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(`${what}: ${JSON.stringify(got)}, not ${JSON.stringify(want)}`);
  console.log(what);
};
await event(client.connection, "connected");
const [news, room, vault, , refused] = ["news", "presence-room", "private-encrypted-vault", "private-x", "private-forbidden"].map((name) => client.subscribe(name));
const error = event(refused, "pusher:subscription_error");
await Promise.all([news, room, vault, client.channel("private-x")].map((channel) => event(channel, "pusher:subscription_succeeded")));
equal("a member that PHP signed", room.members.get("7"), { id: "7", info: { name: "Ann / Zoë" } });
equal("what PHP does not sign", (await error).status, 403);
for (const sapi of ["cli", "fpm"]) {
  const end = event(news, "end"), all = [];
  const note = (event, data) => all.push([event, data]);
  news.bind_global(note);
  const opened = event(vault, "opened");
  console.log(sapi);
  await lines.next();
  await end;
  equal(`${sapi}: decrypted`, await opened, { code: "12/34" });
  equal(`${sapi}: events`, all.map(([name]) => name).join(" "), "App\\Events\\Paid x first second x x end");
  equal(`${sapi}: data`, [all[0][1], all[2][1], all[3][1]], [{ path: "a/b", text: "é ☂ \u2028" }, [1], { a: null }]);
  news.unbind_global(note);
}
console.log("done");
process.exit(0);
