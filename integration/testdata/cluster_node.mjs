// Pages of three nodes that share a Redis. One node is killed.
import Pusher from "pusher-js";
import Server from "pusher";
import readline from "node:readline";

const sites = process.env.SITES.split(" ").map((site) => site.split(":"));
const servers = sites.map(([host, port]) => new Server({ appId: "my-app", key: "key-1", secret: "secret-1", host, port, useTLS: false }));
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const event = (on, name) => new Promise((done) => on.bind(name, done));
const equal = (what, got, want) => {
  if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(`${what}: ${JSON.stringify(got)}, not ${JSON.stringify(want)}`);
  console.log(what);
};
const open = async (user, node) => {
  const client = new Pusher("key-1", {
    cluster: "", wsHost: sites[node][0], wsPort: sites[node][1], forceTLS: false, enabledTransports: ["ws"],
    channelAuthorization: { customHandler: ({ socketId, channelName }, done) => done(null, servers[node].authorizeChannel(socketId, channelName, { user_id: user })) },
  });
  await event(client.connection, "connected");
  return client;
};
const join = async (client) => {
  const room = client.subscribe("presence-room");
  await event(room, "pusher:subscription_succeeded");
  return room;
};
const ids = (room) => Object.keys(room.members.members).sort();
const seen = (room, want) => new Promise((done) => {
  const look = () => ids(room).join() === want.join() && done();
  for (const name of ["pusher:member_added", "pusher:member_removed"]) room.bind(name, look);
  look();
});

const clients = [], rooms = [], users = ["ann", "bob", "eve"];
for (const [node, user] of users.entries()) {
  clients.push(await open(user, node));
  rooms.push(await join(clients[node]));
}
await Promise.all(rooms.map((room) => seen(room, users)));
equal("members on all nodes", rooms.map((room) => room.members.count), [3, 3, 3]);
for (const server of servers) {
  equal("users", (await (await server.get({ path: "/channels/presence-room/users" })).json()).users.map((u) => u.id).sort(), users);
  equal("counts", await (await server.get({ path: "/channels/presence-room", params: { info: "user_count,subscription_count" } })).json(), { occupied: true, subscription_count: 3, user_count: 3 });
}

// The connection of node 0 is left out, whichever node publishes.
const got = [];
rooms.forEach((room, node) => room.bind("update", (n) => got.push(`${users[node]} ${n}`)));
const end = rooms.map((room) => event(room, "end"));
for (const [n, server] of servers.entries()) await server.trigger("presence-room", "update", n, { socket_id: clients[0].connection.socket_id });
await servers[2].trigger("presence-room", "end", {});
await Promise.all(end);
for (const user of ["bob", "eve"]) equal("all events for " + user, got.filter((g) => g.startsWith(user)).sort(), [0, 1, 2].map((n) => `${user} ${n}`));
equal("none for socket_id", got.filter((g) => g.startsWith("ann")), []);

// Each page learns how many there are on all nodes.
const counted = (client, want) => new Promise((done) => client.subscribe("news").bind("pusher:subscription_count", ({ subscription_count }) => subscription_count === want && done()));
await Promise.all(clients.map((client) => counted(client, 3)));
const fewer = counted(clients[0], 2);
clients[1].unsubscribe("news");
await fewer;
console.log("counts on all nodes");

// Eve's node dies. A lease is 10 seconds.
const gone = [0, 1].map((node) => seen(rooms[node], ["ann", "bob"]));
console.log("kill");
await lines.next();
const killed = Date.now();
await Promise.all(gone);
equal("members after the kill", rooms.slice(0, 2).map((room) => room.members.count), [2, 2]);
const took = Date.now() - killed;
if (took > 15_000) throw new Error(`the members of the killed node were there for ${took} ms`);
const late = await join(await open("late", 1));
equal("here for one who comes later", ids(late), ["ann", "bob", "late"]);
equal("users after the kill", (await (await servers[0].get({ path: "/channels/presence-room/users" })).json()).users.map((u) => u.id).sort(), ["ann", "bob", "late"]);
console.log("done");
process.exit(0);
