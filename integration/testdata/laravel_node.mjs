// A page with Laravel Echo whose app is Laravel.
import Echo from "laravel-echo";
import Pusher from "pusher-js";
import readline from "node:readline";

const [host, port] = process.env.SITE.split(":");
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const once = (listen) => new Promise((done) => listen(done));
const equal = (what, got, want) => {
  if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(`${what}: ${JSON.stringify(got)}, not ${JSON.stringify(want)}`);
  console.log(what);
};
const echo = new Echo({
  broadcaster: "reverb", Pusher, key: "key-1", wsHost: host, wsPort: port, forceTLS: false, enabledTransports: ["ws"],
  authEndpoint: `http://${process.env.SITE}/broadcasting/auth`,
});
await once((f) => echo.connector.pusher.connection.bind("connected", f));
const mine = echo.private("x");
await once((f) => mine.subscribed(f));
equal("here", await once((f) => echo.join("room").here(f)), [{ name: "Ann / Zoë" }]);
equal("forbidden", (await once((f) => echo.private("forbidden").error(f))).status, 403);
const got = once((f) => mine.listen("Paid", f));
console.log("broadcast");
await lines.next();
equal("a broadcast", await got, { order: 7 });
console.log("done");
process.exit(0);
