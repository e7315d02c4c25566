package integration

import (
	"strings"
	"testing"
)

const pusherSite = `
http://{{site}} {
	realtime /rt {
		user {header.X-User}
		pusher my-app {
			key    key-1
			secret {env.REALTIME_TEST_PUSHER}
			client_events
		}
		room native {
			subscribe anyone
			publish anyone
		}
	}
	respond /app/other "of the site"
}
`

// pusherApp runs pusher-js and the package pusher, which are not ours. Each line of its output is a
// check that has passed; "reload" asks the test to reload.
const pusherApp = `
import Pusher from "pusher-js";
import Server from "pusher";
import readline from "node:readline";

const [host, port] = process.env.SITE.split(":");
const server = new Server({ appId: "my-app", key: "key-1", secret: "secret-1", host, port, useTLS: false });
const options = (user) => ({
  cluster: "", wsHost: host, wsPort: port, forceTLS: false, enabledTransports: ["ws"],
  userAuthentication: { customHandler: ({ socketId }, done) => done(null, server.authenticateUser(socketId, { id: "id-" + user, user_info: { name: user } })) },
  channelAuthorization: { customHandler: ({ socketId, channelName }, done) => {
    if (channelName === "private-forbidden") return done(null, { auth: "key-1:00" });
    done(null, server.authorizeChannel(socketId, channelName, channelName.startsWith("presence-") ? { user_id: user, user_info: { name: user.toUpperCase() } } : undefined));
  } },
});
const event = (on, name) => new Promise((done) => on.bind(name, done));
const say = (text) => console.log(text);
const equal = (what, got, want) => {
  if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(what + ": " + JSON.stringify(got) + ", not " + JSON.stringify(want));
  say(what);
};
const open = async (user) => {
  const client = new Pusher("key-1", options(user));
  await event(client.connection, "connected");
  return client;
};
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const ask = async (text) => { say(text); await lines.next(); };

const ann = await open("ann"), bob = await open("bob");
say("connected");

const news = ann.subscribe("news");
await event(news, "pusher:subscription_succeeded");
let got = event(news, "update");
await server.trigger("news", "update", { n: 1, text: "é" });
equal("public event", await got, { n: 1, text: "é" });

const mine = ann.subscribe("private-x"), his = bob.subscribe("private-x");
await Promise.all([event(mine, "pusher:subscription_succeeded"), event(his, "pusher:subscription_succeeded")]);
got = event(mine, "update");
await server.trigger(["private-x", "news"], "update", "plain");
equal("private event", await got, "plain");

const refused = ann.subscribe("private-forbidden");
equal("refused", (await event(refused, "pusher:subscription_error")).status, 401);

const seen = [];
mine.bind("update", (data) => seen.push(["ann", data]));
his.bind("update", (data) => seen.push(["bob", data]));
await server.trigger("private-x", "update", 1, { socket_id: ann.connection.socket_id });
got = event(mine, "end");
await server.trigger("private-x", "end", {});
await got;
equal("socket_id", seen, [["bob", 1]]);

const here = ann.subscribe("presence-room");
const members = await event(here, "pusher:subscription_succeeded");
equal("members", [members.count, members.me], [1, { id: "ann", info: { name: "ANN" } }]);
const self = [];
here.bind("pusher:member_added", (member) => self.push(member.id));
const added = event(here, "pusher:member_added");
const there = bob.subscribe("presence-room");
const both = await event(there, "pusher:subscription_succeeded");
equal("both members", [both.count, Object.keys(both.members).sort()], [2, ["ann", "bob"]]);
equal("member added", await added, { id: "bob", info: { name: "BOB" } });
equal("not told of oneself", self, ["bob"]);

got = new Promise((done) => here.bind("client-typing", (data, meta) => done([data, meta.user_id])));
const own = [];
there.bind("client-typing", () => own.push(1));
there.trigger("client-typing", { on: true });
equal("client event", await got, [{ on: true }, "bob"]);
equal("not to the sender", own, []);

equal("channels", (await (await server.get({ path: "/channels", params: { filter_by_prefix: "presence-", info: "user_count" } })).json()), { channels: { "presence-room": { user_count: 2 } } });
equal("channel", (await (await server.get({ path: "/channels/private-x", params: { info: "subscription_count" } })).json()), { occupied: true, subscription_count: 2 });
equal("users", (await (await server.get({ path: "/channels/presence-room/users" })).json()).users.map((u) => u.id).sort(), ["ann", "bob"]);
got = event(news, "second");
await server.triggerBatch([{ channel: "news", name: "first", data: {} }, { channel: "news", name: "second", data: { a: [1] } }]);
equal("batch", await got, { a: [1] });

const changes = [];
ann.connection.bind("state_change", (change) => changes.push(change));
await ask("reload");
got = event(news, "update");
await server.trigger("news", "update", "after");
equal("after the reload", await got, "after");
equal("no state_change", changes, []);

const removed = event(here, "pusher:member_removed");
there.unsubscribe();
equal("member removed", (await removed).id, "bob");

const native = new WebSocket("ws://" + process.env.SITE + "/rt");
const received = (type) => new Promise((done) => native.addEventListener("message", ({ data }) => { const m = JSON.parse(data); if (m.type === type) done(m); }));
await received("connected");
native.send(JSON.stringify({ type: "subscribe", id: 1, payload: { channel: "native" } }));
await received("subscribed");
const shared = ann.subscribe("native");
await event(shared, "pusher:subscription_succeeded");
got = event(shared, "hello");
native.send(JSON.stringify({ type: "message", payload: { channel: "native", event: "hello", content: { from: "native" } } }));
equal("from a native client", await got, { from: "native" });
let message = new Promise((done) => native.addEventListener("message", ({ data }) => { const m = JSON.parse(data); if (m.payload.event === "back") done(m.payload.content); }));
await server.trigger("native", "back", { from: "pusher" });
equal("to a native client", await message, { from: "pusher" });
let rejected = received("error");
native.send(JSON.stringify({ type: "subscribe", id: 2, payload: { channel: "private-x" } }));
equal("a native client without a grant", ["UNAUTHORIZED", "FORBIDDEN"].includes((await rejected).payload.code), true);
native.close();

bob.signin();
const user = event(bob.user, "greeting");
await bob.user.signinDonePromise;
await event(bob.user.serverToUserChannel, "pusher:subscription_succeeded");
await server.sendToUser("id-bob", "greeting", "hi");
equal("sent to a user", await user, "hi");
got = event(bob.connection, "disconnected");
await server.terminateUserConnections("id-bob");
await got;
say("terminated");

const unknown = new Pusher("wrong", options("eve"));
const failure = await event(unknown.connection, "error");
equal("unknown key", (failure.data ?? failure.error.data).code, 4001);
say("done");
process.exit(0);
`

// TestPusherClients drives the libraries of Pusher against a site.
func TestPusherClients(t *testing.T) {
	t.Setenv("REALTIME_TEST_PUSHER", "secret-1")
	c := Start(t, pusherSite)
	playNode(t, pusherApp, []string{"SITE=" + c.Addr("site")}, map[string]func(){"reload": func() {
		for range 10 { // twenty reloads
			c.Reload(strings.Replace(pusherSite, "of the site", "of the new site", 1))
			c.Reload(pusherSite)
		}
	}})
	if _, text := request(t, "GET", "http://"+c.Addr("site")+"/app/other", ""); text != "of the site" {
		t.Errorf("a path of the site: %s", text)
	}
}
