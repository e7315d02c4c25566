import { connect } from "/realtime/documents.js";

const $ = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const board = query.get("board") ?? "home";
const name = query.get("name") ?? (sessionStorage.name ??= `Guest ${Math.floor(Math.random() * 900 + 100)}`);
$("board").textContent = board;

// The document: { cards: { <id>: { text, column, order } } }
const realtime = connect("/realtime");
const doc = realtime.document(`todo:${board}`, { info: { name } });

// Changes. Each one names only what it touches, so that others can change the rest.
const add = (column, text) => doc.update((draft) => {
  draft.cards ??= {};
  draft.cards[crypto.randomUUID().slice(0, 8)] = { text, column, order: order(column) };
});
const change = (id, fields) => doc.update({ cards: { [id]: fields } });
const remove = (id) => doc.update({ cards: { [id]: null } });

/** The cards of a column, in order. */
function cardsOf(column) {
  return Object.entries(doc.value?.cards ?? {})
    .filter(([, card]) => card.column === column)
    .sort(([a, { order: x }], [b, { order: y }]) => x - y || (a < b ? -1 : 1));
}

/** A number that puts a card before another one of the column, or at the end. */
function order(column, before) {
  const cards = cardsOf(column);
  const i = before ? cards.findIndex(([id]) => id === before) : cards.length;
  const [previous, next] = [cards[i - 1]?.[1].order, cards[i]?.[1].order];
  if (next === undefined) return (previous ?? 0) + 1;
  return previous === undefined ? next - 1 : (previous + next) / 2;
}

// The page. Values that have not changed are the same objects, so only what differs is drawn.
const columns = [...document.querySelectorAll("section")];
const drawn = new Map(); // id -> { card, item }

function draw() {
  const gone = new Set(drawn.keys());
  for (const section of columns) {
    const cards = cardsOf(section.dataset.column);
    section.querySelector("h2").dataset.count = cards.length;
    const items = cards.map(([id, card]) => (gone.delete(id), drawCard(id, card)));
    const list = section.querySelector("ol");
    items.forEach((item, i) => list.children[i] === item || list.insertBefore(item, list.children[i] ?? null));
  }
  for (const id of gone) {
    drawn.get(id).item.remove();
    drawn.delete(id);
  }
  $("undo").disabled = !doc.canUndo;
}

function drawCard(id, card) {
  const known = drawn.get(id);
  if (known?.card === card) return known.item;
  const item = known?.item ?? newCard(id);
  drawn.set(id, { card, item });
  const text = item.querySelector("textarea");
  setText(text, card.text);
  const at = columns.findIndex((section) => section.dataset.column === card.column);
  for (const [button, to] of [[".back", columns[at - 1]], [".on", columns[at + 1]]]) {
    item.querySelector(button).disabled = !to;
    item.querySelector(button).dataset.to = to?.dataset.column ?? "";
    item.querySelector(button).ariaLabel = `Move to ${to?.querySelector("h2").textContent ?? "nowhere"}`;
  }
  return item;
}

/**
 * Shows a text in a field. Only the part that differs is replaced, so that the caret and
 * the selection of somebody who writes in the field stay at their words.
 */
function setText(field, text) {
  const old = field.value;
  if (old === text) return;
  if (typeof field.selectionStart !== "number" || document.activeElement !== field) { // no caret to keep
    field.value = text;
    return;
  }
  let start = 0;
  while (start < old.length && old[start] === text[start]) start++;
  let end = 0; // counted from the end
  while (end < Math.min(old.length, text.length) - start && old.at(-1 - end) === text.at(-1 - end)) end++;
  field.setRangeText(text.slice(start, text.length - end), start, old.length - end, "preserve");
}

function newCard(id) {
  const item = $("card").content.cloneNode(true).firstElementChild;
  const text = item.querySelector("textarea");
  item.dataset.id = id;
  text.addEventListener("input", () => change(id, { text: text.value }));
  text.addEventListener("keydown", (event) => event.key === "Enter" && (event.preventDefault(), text.blur()));
  item.querySelector(".delete").addEventListener("click", () => remove(id));
  for (const button of item.querySelectorAll(".back, .on")) {
    button.addEventListener("click", () => {
      const column = button.dataset.to;
      change(id, { column, order: order(column) });
      button.focus();
    });
  }
  item.addEventListener("dragstart", (event) => event.dataTransfer.setData("text/plain", id));
  return item;
}

for (const section of columns) {
  const { column } = section.dataset;
  section.append($("column").content.cloneNode(true));
  section.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const { text } = event.target.elements;
    if (text.value.trim()) add(column, text.value.trim());
    text.value = "";
  });
  section.addEventListener("dragover", (event) => event.preventDefault());
  section.addEventListener("drop", (event) => {
    event.preventDefault();
    const id = event.dataTransfer.getData("text/plain");
    const before = event.target.closest("li")?.dataset.id;
    if (drawn.has(id) && before !== id) change(id, { column, order: order(column, before) });
  });
}

doc.on("change", draw);

// A browser that has lost its network says so at once; the connection breaks only later.
function showStatus({ error } = {}) {
  if (error) notice(`The server has closed this board: ${error.message}`);
  const status = doc.status !== "closed" && !navigator.onLine ? "offline" : doc.status;
  $("status").dataset.status = status;
  $("status").textContent = {
    synced: "saved",
    saving: "saving",
    offline: doc.pending ? `offline, ${doc.pending} to save` : "offline",
  }[status] ?? status;
}
doc.on("status", showStatus);
for (const event of ["online", "offline"]) addEventListener(event, () => showStatus());
$("undo").addEventListener("click", () => doc.undo());

// Somebody else was faster: theirs is shown, and mine can be had again.
doc.on("conflict", ({ patch }) => {
  const there = Object.keys(patch?.cards ?? {}).every((id) => doc.value.cards?.[id]);
  if (there) notice("Somebody else has changed the same.", patch);
  else notice("Somebody else has deleted the card.");
});
doc.on("rejected", ({ error }) => notice(`Not saved: ${error.message}`));

function notice(text, patch) {
  $("notice").textContent = text;
  $("notice").hidden = false;
  if (!patch) return;
  const button = $("notice").appendChild(document.createElement("button"));
  button.textContent = "Use mine";
  button.addEventListener("click", () => {
    $("notice").hidden = true;
    doc.update(patch);
  });
}

// Who is here.
const { presence } = doc.subscription;
const hue = (who) => [...who].reduce((sum, c) => (sum * 31 + c.codePointAt(0)) % 360, 0);
function people() {
  $("people").replaceChildren(...[...presence.members.values()].map(({ id, info }) => {
    const item = document.createElement("li");
    const who = info.name ?? id;
    item.textContent = who.split(" ").map((word) => word[0]).join("").slice(0, 2).toUpperCase();
    item.title = id === realtime.connection ? `${who} (you)` : who;
    item.style.setProperty("--hue", hue(who));
    return item;
  }));
}
for (const event of ["sync", "enter", "leave", "update"]) presence.on(event, people);

// The pointers of the others, at their place on the board. A position is out of date with the
// next one: the messages are volatile, and at most 20 a second.
const main = document.querySelector("main");
const cursors = new Map(); // by connection
let next; // the position that waits to be sent

main.addEventListener("pointermove", ({ clientX, clientY, pointerType }) => {
  if (pointerType !== "mouse" || presence.count < 2) return;
  if (!next) setTimeout(point, 50);
  const board = main.getBoundingClientRect();
  next = { x: (clientX - board.left) / board.width, y: clientY - board.top, name };
});
main.addEventListener("pointerleave", () => (next = undefined));

function point() {
  const position = next;
  next = undefined;
  if (position) doc.subscription.publish(position, { event: "cursor", volatile: true }).catch(() => {}); // the next one says more
}

doc.subscription.on("event:cursor", ({ content, sender }) => {
  if (sender === realtime.connection || !content) return;
  const cursor = cursors.get(sender) ?? newCursor(sender, String(content.name));
  cursor.element.style.translate = `${main.offsetWidth * Number(content.x)}px ${Number(content.y)}px`;
  clearTimeout(cursor.timer);
  cursor.timer = setTimeout(() => forget(sender), 4000);
});
presence.on("leave", ({ id }) => forget(id));

function newCursor(id, who) {
  const element = document.createElement("span");
  element.textContent = who;
  element.style.setProperty("--hue", hue(who));
  $("cursors").append(element);
  const cursor = { element, timer: 0 };
  cursors.set(id, cursor);
  return cursor;
}

function forget(id) {
  clearTimeout(cursors.get(id)?.timer);
  cursors.get(id)?.element.remove();
  cursors.delete(id);
}
