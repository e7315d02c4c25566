import { connect } from "/realtime/client.js";
import { Peer } from "./peer.js";

const $ = (id) => document.getElementById(id);
const name = new URLSearchParams(location.search).get("room") ?? "lobby";
$("room").textContent = name;
$("name").value = sessionStorage.name ?? `Guest ${Math.floor(Math.random() * 900 + 100)}`;

// Over event streams, what nobody signed sends could not be answered.
const realtime = connect("/realtime", { transport: "websocket" });
const room = realtime.subscribe(`call:${name}`, { info: { name: $("name").value } });
const { presence } = room;

// The calls, by the connection at the other end: nobody signs in here, so that it is
// also the member's id.
const calls = new Map();
let camera = null;

const nameOf = (id) => presence.members.get(id)?.info.name ?? id;

/** Begins a call, or takes one: with the first signal of the other page. */
function call(id) {
  if (calls.has(id)) return calls.get(id);
  const to = { connection: id };
  // Two ends decide alike which of them is the polite one.
  const peer = new Peer(realtime.connection < id, (signal) =>
    room.publish(signal, { to }).catch(() => peer.close())); // nobody is there any more
  calls.set(id, peer);
  if (camera) peer.show(camera);
  card(id, peer);
  peer.addEventListener("close", () => {
    if (calls.get(id) === peer) calls.delete(id);
    members();
  });
  members();
  return peer;
}

room.on("message", ({ to, from, content }) => {
  const id = from?.connection;
  if (!to || !id) return; // not said to this page, or by nobody who could be answered
  if (content?.bye) calls.get(id)?.close();
  // What is left over of a call that has ended begins no other.
  else if (calls.has(id) || content?.description?.type === "offer") call(id).receive(content).catch(console.error);
});

function card(id, peer) {
  const element = $("call").content.cloneNode(true).firstElementChild;
  const find = (selector) => element.querySelector(selector);
  const state = (word, text) => {
    element.dataset.state = word;
    find("[role=status]").textContent = text;
    for (const control of find("form").elements) control.disabled = word !== "open";
  };
  const line = (text, own) => {
    const item = find("ol").appendChild(document.createElement("li"));
    item.textContent = text;
    item.className = own ? "own" : "";
    item.scrollIntoView({ block: "nearest" });
  };
  find("b").textContent = nameOf(id);
  find("b").dataset.member = id;
  state("calling", "connecting");
  $("hint").hidden = true;
  $("calls").append(element);

  peer.addEventListener("open", () => state("open", "connected"));
  peer.addEventListener("text", ({ detail }) => line(detail));
  peer.addEventListener("stream", ({ detail }) => {
    find("video").srcObject = detail;
    find("video").hidden = !detail;
  });
  peer.addEventListener("close", () => {
    state("closed", "ended");
    find("video").hidden = true;
    find(".end").textContent = "Close";
  });
  // Whoever leaves the room, or just vanishes, is off the line.
  const off = presence.on("leave", (member) => {
    if (member.id !== id) return;
    peer.close();
    state("closed", "has left");
  });
  find("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = event.target.elements[0].value.trim();
    if (!text) return;
    event.target.reset();
    peer.send(text);
    line(text, true);
  });
  find(".end").addEventListener("click", () => {
    if (calls.get(id) === peer) room.publish({ bye: true }, { to: { connection: id } }).catch(() => {});
    off();
    peer.close();
    element.remove();
    $("hint").hidden = !!$("calls").querySelector("article");
  });
}

// Who is here.
function members() {
  for (const b of document.querySelectorAll("[data-member]")) {
    if (presence.members.has(b.dataset.member)) b.textContent = nameOf(b.dataset.member);
  }
  $("count").textContent = presence.count;
  $("members").replaceChildren(...[...presence.members.values()].map(({ id }) => {
    const item = document.createElement("li");
    item.append(nameOf(id));
    if (id === realtime.connection) {
      item.append(" (you)");
    } else {
      const button = item.appendChild(document.createElement("button"));
      button.textContent = "Call";
      button.disabled = calls.has(id);
      button.addEventListener("click", () => call(id));
    }
    return item;
  }));
}
for (const event of ["sync", "enter", "leave", "update"]) presence.on(event, members);

$("name").addEventListener("change", () => {
  sessionStorage.name = $("name").value;
  presence.update({ info: { name: $("name").value } });
});

$("camera").addEventListener("click", async () => {
  const on = !camera;
  for (const track of camera?.getTracks() ?? []) track.stop();
  camera = on ? await navigator.mediaDevices.getUserMedia({ video: true, audio: true }).catch(() => null) : null;
  $("own").srcObject = camera;
  $("own").hidden = !camera;
  $("camera").ariaPressed = String(!!camera);
  $("camera").textContent = camera ? "Camera off" : on ? "No camera" : "Camera on";
  for (const peer of calls.values()) peer.show(camera);
});

realtime.on("state", ({ state, retryIn }) => {
  $("status").dataset.state = state;
  $("status").textContent =
    state === "open" ? "connected"
    : state === "reconnecting" && retryIn ? `reconnecting in ${Math.ceil(retryIn / 1000)} s`
    : state;
});
