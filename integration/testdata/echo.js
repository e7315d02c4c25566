// What a page does with Laravel Echo, in Node and in a browser. open(user) makes an Echo of a user, `id` or
// `id/name`, trigger(channels, event, data, socketId) lets the app publish, say(text) notes
// a check that has passed.
async function playEcho({ open, trigger, say }) {
  const onceAll = (listen) => new Promise((done) => listen((...args) => done(args)));
  const once = async (listen) => (await onceAll(listen))[0];
  const equal = (what, got, want) => {
    if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(`${what}: ${JSON.stringify(got)}, not ${JSON.stringify(want)}`);
    say(what);
  };
  const subscribed = (channel) => once((f) => channel.subscribed(f));
  const connected = (echo) => once((f) => echo.connector.pusher.connection.bind("connected", f));

  const ann = open("ann"), bob = open("bob");
  await Promise.all([connected(ann), connected(bob)]);
  equal("connected", [ann.connectionStatus(), bob.connectionStatus()], ["connected", "connected"]);
  const changes = [];
  ann.connector.pusher.connection.bind("state_change", (change) => changes.push(change));

  // A public channel. Echo puts the namespace in front of a name without a dot.
  const news = ann.channel("news");
  await subscribed(news);
  let got = once((f) => news.listen("Shipped", f));
  await trigger(["news"], "App\\Events\\Shipped", { order: { id: 7, note: "é ☂ \"'" } });
  equal("an event of a public channel", await got, { order: { id: 7, note: "é ☂ \"'" } });
  got = once((f) => news.listen(".plain", f));
  await trigger(["news"], "plain", "no JSON");
  equal("an event with a text", await got, "no JSON");
  got = onceAll((f) => news.listenToAll(f));
  await trigger(["news"], "App\\Events\\Other", []);
  equal("all events", await got, ["Other", []]);

  // A private channel, notifications, events to others, whispers.
  const mine = ann.private("App.Models.User.1"), his = bob.private("App.Models.User.1");
  await Promise.all([subscribed(mine), subscribed(his)]);
  got = once((f) => mine.notification(f));
  await trigger(["private-App.Models.User.1"], "Illuminate\\Notifications\\Events\\BroadcastNotificationCreated", { type: "Paid", id: "x" });
  equal("a notification", await got, { type: "Paid", id: "x" });
  const heard = [];
  mine.listen(".update", (data) => heard.push(["ann", data]));
  his.listen(".update", (data) => heard.push(["bob", data]));
  got = once((f) => mine.listen(".end", f));
  await trigger(["private-App.Models.User.1"], "update", 1, ann.socketId());
  await trigger(["private-App.Models.User.1"], "end", {});
  await got;
  await once((f) => { his.listen(".end2", f); trigger(["private-App.Models.User.1"], "end2", {}); });
  equal("an event to others", heard, [["bob", 1]]);
  const own = [];
  mine.listenForWhisper("typing", () => own.push(1));
  got = once((f) => his.listenForWhisper("typing", f));
  mine.whisper("typing", { name: "ann" });
  equal("a whisper", await got, { name: "ann" });
  equal("not to the one who whispers", own, []);

  // Subscriptions that fail.
  equal("an error of the app", (await once((f) => ann.private("forbidden").error(f))).status, 403);
  const forged = await once((f) => ann.private("forged").error(f));
  equal("an error of the server", [forged.type, forged.status], ["AuthError", 401]);
  equal("an error in a presence channel", (await once((f) => ann.join("forged").error(f))).status, 401);

  // Who is here.
  const names = (users) => users.map((user) => user.name).sort();
  const room = ann.join("chat.1"), joining = [], leaving = [];
  equal("here alone", names(await once((f) => room.here(f))), ["ann"]);
  room.joining((user) => joining.push(user.name)).leaving((user) => leaving.push(user.name));
  got = once((f) => room.joining(f));
  const other = bob.join("chat.1");
  equal("here both", names(await once((f) => other.here(f))), ["ann", "bob"]);
  equal("joining", await got, { id: "id-bob", name: "bob" });
  got = onceAll((f) => room.listenForWhisper("typing", f));
  other.whisper("typing", { on: true });
  equal("a whisper in a presence channel", await got, [{ on: true }, { user_id: "id-bob" }]);

  // A second tab of the same user is nobody new.
  const tab = open("bob");
  await once((f) => tab.join("chat.1").here(f));
  tab.leave("chat.1");
  got = once((f) => room.leaving(f));
  bob.leave("chat.1");
  equal("leaving", await got, { id: "id-bob", name: "bob" });
  equal("joining and leaving once", [joining, leaving], [["bob"], ["bob"]]);
  tab.disconnect();

  // Who leaves and is back at once with another name has left and joined for the others.
  got = once((f) => room.joining(f));
  const back = bob.join("chat.1");
  equal("here again", names(await once((f) => back.here(f))), ["ann", "bob"]);
  await got;
  got = once((f) => room.joining((user) => user.name === "bobby" && f(user)));
  bob.leave("chat.1");
  bob.options.auth.headers["X-User"] = "bob/bobby";
  const renamed = bob.join("chat.1"), own2 = [];
  await once((f) => renamed.here(f));
  renamed.joining((user) => own2.push(user.name));
  equal("another name", await got, { id: "id-bob", name: "bobby" });
  equal("the old name has left", leaving, ["bob", "bob"]);
  got = once((f) => room.listenForWhisper("after", f));
  renamed.whisper("after", {});
  await got;
  equal("not told of oneself", own2, []);

  // Nothing arrives after leaving.
  const late = [];
  his.listen(".late", () => late.push(1));
  bob.leave("App.Models.User.1");
  got = once((f) => mine.listen(".late", f));
  await trigger(["private-App.Models.User.1"], "late", {});
  await got;
  const again = bob.private("App.Models.User.1");
  await subscribed(again);
  equal("nothing after leaving", late, []);

  // The server knows no key of an encrypted channel.
  const secrets = ann.encryptedPrivate("vault"), frames = [];
  await subscribed(secrets);
  ann.connector.pusher.connection.bind("message", (event) => event.channel === "private-encrypted-vault" && frames.push(event.data));
  got = once((f) => secrets.listen(".opened", f));
  await trigger(["private-encrypted-vault"], "opened", { code: "1234", by: "é" });
  equal("an encrypted event", await got, { code: "1234", by: "é" });
  equal("is encrypted on the way", frames.map((data) => Object.keys(data).sort()), [["ciphertext", "nonce"]]);

  equal("no change of the connection", changes, []);
  ann.disconnect();
  bob.disconnect();
}
