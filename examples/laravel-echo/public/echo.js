import Echo from "/packages/laravel-echo/dist/echo.js";

const $ = (id) => document.getElementById(id);
const room = (new URLSearchParams(location.search).get("room") ?? "lobby").replace(/\W/g, "").slice(0, 40) || "lobby";
const me = { id: crypto.randomUUID?.() ?? String(Math.random()).slice(2), name: sessionStorage.name ?? `Guest ${Math.floor(Math.random() * 900 + 100)}` };
$("room").textContent = room;
$("name").value = me.name;

// What a page of Laravel has, but for the user: there a session says who it is.
const user = () => ({ "X-User-Id": me.id, "X-User-Name": encodeURIComponent(me.name) });
const secure = location.protocol === "https:";
const echo = new Echo({
  broadcaster: "reverb",
  key: "app-key",
  wsHost: location.hostname,
  wsPort: location.port || 80,
  wssPort: location.port || 443,
  forceTLS: secure,
  enabledTransports: ["ws", "wss"],
  channelAuthorization: { endpoint: "/broadcasting/auth", headersProvider: user },
});

// The connection, as the visitor sees it. A browser that has lost its network says so
// at once; the connection breaks only later.
function showState() {
  const { state } = echo.connector.pusher.connection;
  const shown = navigator.onLine ? state : "offline";
  $("status").dataset.state = shown;
  $("status").textContent = shown === "connected" ? "connected by Echo" : shown;
  $("members").classList.toggle("stale", shown !== "connected"); // as they were when the connection broke
}
echo.connector.pusher.connection.bind("state_change", showState);
// With a code of 4000 to 4099, such as that of an unknown key, pusher-js does not try again.
echo.connector.pusher.connection.bind("error", (problem) => {
  const { code, message } = problem.data ?? problem.error?.data ?? {};
  if (code >= 4000 && code < 4100) line("", `The server has rejected this page: ${message} (${code})`).classList.add("note", "error");
});
for (const event of ["online", "offline"]) addEventListener(event, showState);

// Who is here. joining and leaving bring the user_info of one member.
const here = new Map();
function showMembers() {
  $("count").textContent = here.size;
  $("members").replaceChildren(...[...here.values()].map(({ id, name }) => {
    const item = document.createElement("li");
    item.textContent = id === me.id ? `${name} (you)` : name;
    return item;
  }));
}

let chat;
function join() {
  chat = echo.join(`chat.${room}`)
    .here((members) => { here.clear(); for (const member of members) here.set(member.id, member); showMembers(); })
    .joining((member) => { here.set(member.id, member); showMembers(); })
    .leaving(({ id }) => { here.delete(id); showMembers(); })
    .listen("MessageSent", ({ name, text }) => { line(name, text); typing(""); })
    .listenForWhisper("typing", ({ name }) => typing(`${name} is typing …`))
    .error(({ status }) => line("", `The server does not let you into this room (${status}).`).classList.add("note", "error"));
}
join();

let silence;
function typing(text) {
  clearTimeout(silence);
  $("typing").textContent = text;
  if (text) silence = setTimeout(typing, 3000, "");
}

function line(who, text, own = false) {
  const item = document.createElement("li");
  item.appendChild(document.createElement("b")).textContent = who;
  item.appendChild(document.createElement("span")).textContent = text;
  if (who) item.appendChild(document.createElement("time")).textContent = new Date().toLocaleTimeString([], { timeStyle: "short" });
  item.classList.toggle("own", own);
  $("messages").append(item);
  item.scrollIntoView({ block: "end" });
  return item;
}

// A whisper goes to the others without the app. One a second is plenty.
let last = 0;
$("text").addEventListener("input", () => {
  if (Date.now() - last < 1000) return;
  last = Date.now();
  chat.whisper("typing", { name: me.name });
});

$("name").addEventListener("change", () => {
  me.name = sessionStorage.name = $("name").value;
  echo.leave(`chat.${room}`);
  join(); // the app signs who a member is, so that a new name is a new subscription
});

$("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  $("text").value = "";
  // The app sends to all but this connection, so that the page shows its own message itself.
  const response = await fetch("/messages", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Socket-ID": echo.socketId() ?? "", ...user() },
    body: JSON.stringify({ room, text }),
  }).catch((error) => ({ ok: false, status: error.message }));
  if (response.ok) line(me.name, text, true);
  else {
    line("", `Not sent: ${response.status}`).classList.add("note", "error");
    $("text").value ||= text;
  }
});
