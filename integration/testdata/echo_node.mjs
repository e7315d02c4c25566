// The scenario in Node, with an app that uses the package pusher.
import Echo from "laravel-echo";
import Pusher from "pusher-js";
import Server from "pusher";
import { createServer } from "node:http";

const [host, port] = process.env.SITE.split(":");
const server = new Server({
  appId: "my-app", key: "key-1", secret: "secret-1", host, port, useTLS: false,
  encryptionMasterKeyBase64: Buffer.alloc(32, 7).toString("base64"),
});
const app = createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const q = new URLSearchParams(Buffer.concat(parts).toString()), channel = q.get("channel_name");
  if (channel.endsWith("forbidden")) return response.writeHead(403).end();
  if (channel.endsWith("forged")) return response.end(JSON.stringify({ auth: "key-1:00", channel_data: '{"user_id":"id-eve"}' }));
  const [id, name = id] = request.headers["x-user"].split("/");
  const member = channel.startsWith("presence-") ? { user_id: "id-" + id, user_info: { id: "id-" + id, name } } : undefined;
  response.end(JSON.stringify(server.authorizeChannel(q.get("socket_id"), channel, member)));
});
await new Promise((done) => app.listen(0, "127.0.0.1", done));

for (const broadcaster of ["pusher", "reverb"]) {
  await playEcho({
    open: (user) => new Echo({
      broadcaster, Pusher, key: "key-1", cluster: broadcaster === "pusher" ? "" : undefined, wsHost: host, wsPort: port, forceTLS: false,
      enabledTransports: ["ws", "wss"], authEndpoint: `http://127.0.0.1:${app.address().port}/broadcasting/auth`, auth: { headers: { "X-User": user } },
    }),
    trigger: (channels, event, data, socketId) => server.trigger(channels, event, data, socketId ? { socket_id: socketId } : undefined),
    say: (text) => console.log(`${broadcaster}: ${text}`),
  });
}
console.log("done");
process.exit(0);
