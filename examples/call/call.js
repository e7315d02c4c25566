import { connect } from "/realtime/client.js";
import { Call } from "./card.js";

const $ = (id) => document.getElementById(id);
const name = new URLSearchParams(location.search).get("room") ?? "lobby";
$("room").textContent = name;
$("name").value = sessionStorage.name ?? `Guest ${Math.floor(Math.random() * 900 + 100)}`;

const realtime = connect("/realtime");
const room = realtime.subscribe(`call:${name}`, { info: { name: $("name").value } });
const { presence } = room;

// Over an event stream a page cannot call or answer: nobody signs in here, so that its messages do not say from whom
// they are. The other pages learn it from its info.
let deaf = false;
const describe = () => presence.update({ info: { name: $("name").value, deaf } });

// The calls, by the connection at the other end. Nobody signs in here, so that the
// connection is also the member's id.
const calls = new Map();
let camera = null;

const nameOf = (id) => presence.members.get(id)?.info.name ?? id;

/** Shows a call: one that this page makes, or one that comes in. */
function open(id, state) {
  const call = new Call({
    name: nameOf(id),
    state,
    camera,
    // Both pages compare the same ids, so that exactly one of them is polite.
    polite: realtime.connection < id,
    send: (content) => room.publish(content, { to: { connection: id } }),
  });
  calls.set(id, call);
  call.addEventListener("end", () => {
    if (calls.get(id) === call) calls.delete(id);
    members();
  });
  $("calls").append(call.element);
  members();
  return call;
}

room.on("state", ({ error }) => {
  if (!error) return;
  $("problem").textContent = `The server has closed this room: ${error.message}`;
  $("problem").hidden = false;
});

// What another page says to this one alone: `ring`, `accept`, `bye`, or a signal of WebRTC.
room.on("message", ({ to, from, content }) => {
  const id = from?.connection;
  if (!to || !id || !content) return; // said to all, or by somebody who cannot be answered
  const call = calls.get(id);
  if (call) call.receive(content);
  else if (content.ring) open(id, "ringing");
});

// Who leaves the room, or vanishes, is no longer in a call.
presence.on("leave", ({ id }) => calls.get(id)?.end("has left"));

function members() {
  $("count").textContent = presence.count;
  for (const [id, call] of calls) call.rename(nameOf(id));
  $("members").replaceChildren(...[...presence.members.values()].map(({ id, info }) => {
    const item = document.createElement("li");
    item.append(nameOf(id));
    if (id === realtime.connection) {
      item.append(" (you)");
    } else {
      const button = item.appendChild(document.createElement("button"));
      button.textContent = "Call";
      button.disabled = calls.has(id) || realtime.state !== "open" || deaf || !!info.deaf;
      button.addEventListener("click", () => open(id, "calling"));
    }
    return item;
  }));
}
for (const event of ["sync", "enter", "leave", "update"]) presence.on(event, members);

$("name").addEventListener("change", () => {
  sessionStorage.name = $("name").value;
  describe();
});

$("camera").addEventListener("click", async () => {
  $("problem").hidden = true;
  if (camera) {
    for (const track of camera.getTracks()) track.stop();
    camera = null;
  } else {
    $("camera").disabled = true;
    camera = await navigator.mediaDevices?.getUserMedia({ video: true, audio: true }).catch(explain) ?? null;
    $("camera").disabled = false;
  }
  $("own").srcObject = camera;
  $("own").hidden = !camera;
  $("camera").ariaPressed = String(!!camera);
  $("camera").textContent = camera ? "Camera off" : "Camera on";
  for (const call of calls.values()) call.show(camera);
});

function explain(error) {
  $("problem").textContent = {
    NotAllowedError: "The browser does not let this page use the camera.",
    NotFoundError: "There is no camera, or no microphone.",
    NotReadableError: "Another program uses the camera.",
  }[error.name] ?? error.message;
  $("problem").hidden = false;
}

// The connection, as the visitor sees it. A browser that has lost its network says so
// at once; the connection breaks only later.
function showState() {
  const state = realtime.state !== "closed" && !navigator.onLine ? "offline" : realtime.state;
  $("status").dataset.state = state;
  $("status").textContent = state === "open" ? "connected" : state;
  $("members").classList.toggle("stale", state !== "open");
  if (state === "open" && deaf !== (realtime.transport === "sse")) {
    deaf = !deaf;
    describe();
  }
  $("deaf").hidden = !deaf;
  members();
}
realtime.on("state", showState);
for (const event of ["online", "offline"]) addEventListener(event, showState);
