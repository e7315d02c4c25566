import { connect } from "/realtime/documents.js";

const $ = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
$("name").value = query.get("name") ?? sessionStorage.name ?? `Guest ${Math.floor(Math.random() * 900 + 100)}`;

// The document has one member for each field: { title, date, place, … }
const realtime = connect("/realtime");
const doc = realtime.document(`form:${query.get("form") ?? "party"}`, { info: { name: $("name").value } });
const fields = [...$("form").elements].filter(({ name }) => name);

// What is typed is shown to all at once. Only the one field is sent.
const valueOf = (field) => (field.type === "checkbox" ? field.checked : field.value);
for (const field of fields) {
  field.disabled = true;
  field.addEventListener("input", () => doc.update({ [field.name]: valueOf(field) }));
  field.addEventListener("focus", () => appear(field.name));
  field.addEventListener("blur", () => appear(undefined));
}
$("form").addEventListener("submit", (event) => event.preventDefault());

doc.on("change", ({ value }) => {
  for (const field of fields) {
    field.disabled = false;
    const now = value[field.name];
    if (field.type === "checkbox") field.checked = !!now;
    else setText(field, now ?? "");
  }
  $("empty").hidden = fields.some((field) => value[field.name]);
  $("undo").disabled = !doc.canUndo;
});

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

// A browser that has lost its network says so at once; the connection breaks only later.
function showStatus({ error } = {}) {
  if (error) notice(`The server has closed this form: ${error.message}`);
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
doc.on("conflict", ({ patch }) => notice(`Somebody else was in the same field; yours was: ${Object.values(patch ?? {}).join(", ")}`));
doc.on("rejected", ({ error }) => notice(`Not saved: ${error.message}`));
$("undo").addEventListener("click", () => doc.undo());

function notice(text) {
  $("notice").textContent = text;
  $("notice").hidden = false;
}

// Who is in which field.
const { presence } = doc.subscription;
let at;
function appear(field) {
  at = field;
  presence.update({ info: { name: $("name").value, field } });
}
$("name").addEventListener("change", () => {
  sessionStorage.name = $("name").value;
  appear(at);
});

const hue = (id) => [...id].reduce((sum, c) => (sum * 31 + c.codePointAt(0)) % 360, 0);
function mark() {
  const others = [...presence.members.values()].filter(({ id }) => id !== realtime.connection);
  for (const field of fields) {
    const label = field.closest("label");
    const here = others.filter(({ info }) => info.field === field.name);
    label.querySelector(".who")?.remove();
    label.classList.toggle("taken", here.length > 0);
    if (!here.length) continue;
    label.style.setProperty("--hue", hue(here[0].id));
    const who = label.appendChild(document.createElement("span"));
    who.className = "who";
    who.textContent = here.map(({ id, info }) => info.name ?? id).join(", ");
  }
}
for (const event of ["sync", "enter", "leave", "update"]) presence.on(event, mark);
