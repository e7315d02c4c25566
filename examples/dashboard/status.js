// What the visitor sees of the connection; htmx does the rest of the page. Prices that stop are worth
// a word, too: the connection may be fine and the app be gone.
const $ = (id) => document.getElementById(id);
const main = document.querySelector("main");
const patience = 5000;
const words = {
  open: "live", waiting: "connected, no new prices", closed: "rejected by the server",
  missing: "htmx is missing: run npm ci in client/",
};

let stream = "connecting";
let last = 0; // when the last price came

function showState() {
  const state = !window.htmx ? "missing"
    : !navigator.onLine ? "offline"
    : stream !== "open" ? stream
    : Date.now() - last > patience ? "waiting" : "open";
  $("status").dataset.state = state;
  $("status").textContent = words[state] ?? state;
  main.classList.toggle("stale", state !== "open");
  $("updated").textContent = last ? `Last one at ${new Date(last).toLocaleTimeString()}.` : "None has come yet.";
}

const becomes = (state) => { stream = state; showState(); };
main.addEventListener("htmx:sseOpen", () => becomes("open"));
main.addEventListener("htmx:sseMessage", () => { last = Date.now(); becomes("open"); });
// A stream that the server has rejected is tried again by htmx, and one that has ended by the browser.
main.addEventListener("htmx:sseError", ({ detail: { source } }) => becomes(source.readyState === EventSource.CLOSED ? "closed" : "connecting"));
for (const event of ["online", "offline"]) addEventListener(event, showState);
setInterval(showState, 1000);
showState();
