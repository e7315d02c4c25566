import { connect } from "/realtime/client.js";

const $ = (id) => document.getElementById(id);
const room = new URLSearchParams(location.search).get("room") ?? "lobby";
$("room").textContent = room;
$("name").value = sessionStorage.name ?? `Guest ${Math.floor(Math.random() * 900 + 100)}`;

const realtime = connect("/realtime");
const chat = realtime.subscribe(`chat:${room}`, { history: 50, info: { name: $("name").value } });

// The connection, as the visitor sees it. A browser that has lost its network says so
// at once; the connection breaks only later.
function showState() {
  const state = realtime.state !== "closed" && !navigator.onLine ? "offline" : realtime.state;
  const how = { websocket: "WebSocket", sse: "event stream" }[realtime.transport];
  $("status").dataset.state = state;
  $("status").textContent = state === "open" ? `connected by ${how}` : state;
  $("members").classList.toggle("stale", state !== "open"); // as they were when the connection broke
}
realtime.on("state", showState);
for (const event of ["online", "offline"]) addEventListener(event, showState);

// What is said. A gap means that messages are missing here.
chat.on("message", ({ content, event, sender, timestamp }) => {
  if (event === "typing" || event === "reaction") return; // see below
  line(content?.name ?? "server", content?.text ?? JSON.stringify(content), timestamp, sender);
  stopped(sender);
});
chat.on("gap", () => note("Some messages are missing here: you were away for too long, or the server was restarted."));
chat.on("state", ({ state, error }) => {
  $("empty").hidden = state !== "subscribed"; // before that nobody knows
  if (error) note(`The server has closed this room: ${error.message}`, "error");
});

function note(text, kind = "") {
  line("", text).classList.add("note", ...(kind ? [kind] : []));
}

function line(who, text, timestamp, sender) {
  const item = document.createElement("li");
  const name = item.appendChild(document.createElement("b"));
  name.textContent = who;
  item.appendChild(document.createElement("span")).textContent = text;
  if (timestamp) {
    const time = item.appendChild(document.createElement("time"));
    time.textContent = new Date(timestamp).toLocaleTimeString([], { timeStyle: "short" });
  }
  item.classList.toggle("own", !!sender && sender === realtime.connection);
  $("messages").append(item);
  item.scrollIntoView({ block: "end" });
  return item;
}

// Who is here.
const members = () => {
  $("count").textContent = chat.presence.count;
  $("members").replaceChildren(...[...chat.presence.members.values()].map(({ id, status, info }) => {
    const item = document.createElement("li");
    item.textContent = info.name ?? id;
    item.dataset.status = status;
    if (id === realtime.connection) item.append(" (you)");
    return item;
  }));
};
for (const event of ["sync", "enter", "leave", "update"]) chat.presence.on(event, members);

// Who is typing, and reactions: out of date in a moment, so these messages are volatile. Nobody
// sees them later, and nothing waits for them.
const typing = new Map(); // by sender: { name, timer }
let told = 0; // when the others were told last that somebody types here

$("text").addEventListener("input", () => {
  if (!$("text").value || Date.now() - told < 2000) return;
  told = Date.now();
  chat.publish({ name: $("name").value }, { event: "typing", volatile: true }).catch(() => {}); // the next key tells again
});

chat.on("event:typing", ({ content, sender }) => {
  if (sender === realtime.connection) return;
  stopped(sender);
  typing.set(sender, { name: String(content?.name ?? "Somebody"), timer: setTimeout(() => stopped(sender), 4000) });
  showTyping();
});

function stopped(sender) {
  if (sender === realtime.connection) told = 0;
  clearTimeout(typing.get(sender)?.timer);
  if (typing.delete(sender)) showTyping();
}

function showTyping() {
  const names = [...typing.values()].map(({ name }) => name);
  $("typing").textContent = names.length > 2 ? `${names.length} are typing …`
    : names.length ? `${names.join(" and ")} ${names.length > 1 ? "are" : "is"} typing …` : "";
}

for (const button of document.querySelectorAll("#reactions button")) {
  button.ariaLabel = `React with ${button.textContent}`;
  button.addEventListener("click", () => {
    chat.publish(button.textContent, { event: "reaction", volatile: true }).catch((error) => note(`Not sent: ${error.message}`, "error"));
  });
}

chat.on("event:reaction", ({ content }) => {
  if ($("sky").childElementCount > 40) return; // enough is flying already
  const flying = document.createElement("span");
  flying.textContent = [...new Intl.Segmenter().segment(String(content))][0]?.segment ?? "";
  flying.style.left = `${5 + 90 * Math.random()}%`;
  flying.addEventListener("animationend", () => flying.remove());
  $("sky").append(flying);
});

document.addEventListener("visibilitychange", () => chat.presence.update({ status: document.hidden ? "away" : "online" }));

$("name").addEventListener("change", () => {
  sessionStorage.name = $("name").value;
  chat.presence.update({ info: { name: $("name").value } });
});

$("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  $("text").value = "";
  // What is said without a connection waits for one, up to a minute, and is shown meanwhile.
  const waiting = realtime.state === "open" ? null : line("", `${text} (waits for the connection)`);
  waiting?.classList.add("own", "waiting");
  try {
    await chat.publish({ name: $("name").value, text });
  } catch (error) {
    note(`Not sent: ${error.message}`, "error");
    $("text").value ||= text;
  }
  waiting?.remove();
});
