// What clients notice of a process that is killed and comes back.
const ann = await connected({ auth: { token: token("ann") } });
const reason = event(ann, "disconnect"), back = event(ann, "connect");
await ask("crash");
equal("disconnected", ["transport close", "transport error"].includes((await reason)[0]), true);
await back;
let got = event(ann, "chat message");
ann.emit("chat message", "again");
equal("after the crash", await got, ["again"]);
ann.disconnect();
say("done");
process.exit(0);
