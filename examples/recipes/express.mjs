// npm install express standardwebhooks
import { randomUUID } from "node:crypto";
import express from "express";
import { Webhook } from "standardwebhooks";

for (const name of ["REALTIME_URL", "REALTIME_API_KEY", "WEBHOOK_SECRET"]) if (!process.env[name]) throw new Error(`${name} is not set`);
const { REALTIME_URL, REALTIME_API_KEY, WEBHOOK_SECRET, APP_PORT = 3000 } = process.env;
const webhook = new Webhook(WEBHOOK_SECRET);
const sessions = new Map();

const userOf = (request) => sessions.get(/session=([\w-]+)/.exec(request.headers.cookie)?.[1]);

const publish = async (channel, content) => {
  const answer = await fetch(`${REALTIME_URL}/channels/${encodeURIComponent(channel)}/messages`, {
    method: "POST",
    headers: { authorization: `Bearer ${REALTIME_API_KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ content }),
  });
  if (!answer.ok) throw new Error(`publish: ${answer.status}: ${await answer.text()}`);
};

const app = express();
app.post("/login", (request, response) => { // check a password here
  const id = randomUUID();
  sessions.set(id, request.query.user);
  response.cookie("session", id, { httpOnly: true, sameSite: "lax" }).sendStatus(204);
});
app.get("/rt/authorize", (request, response) => {
  const user = userOf(request);
  if (user) response.json({ user });
  else response.sendStatus(401);
});
app.post("/rt/message", express.json(), ({ body }, response) => { // store it here
  response.json({ content: { text: body.content.text.toUpperCase(), by: body.user } });
});
app.post("/rt/call", express.json(), ({ body: { method, params, user } }, response) => {
  if (method === "sum") response.json({ user, sum: params.reduce((a, b) => a + b, 0) });
  else response.status(404).type("application/problem+json").send({ code: "NO_SUCH_METHOD" });
});
app.post("/rt/notify", express.raw({ type: "*/*", limit: "2mb" }), async (request, response) => {
  let events;
  try {
    events = webhook.verify(request.body.toString(), request.headers).data.events;
  } catch {
    return response.sendStatus(401);
  }
  try {
    for (const event of events) await publish("log", `${event.sender ?? "the app"} wrote in ${event.channel}`);
    response.sendStatus(204);
  } catch (error) {
    console.error(error);
    response.sendStatus(502); // Caddy sends the events again.
  }
});
app.listen(APP_PORT, "127.0.0.1");
