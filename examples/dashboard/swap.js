// One stream for all elements with `data-swap`. Each shows the newest fragment with its name, as
// with `sse-swap` of htmx. The fragments are HTML of the app, which alone may publish here.
const $ = (id) => document.getElementById(id);
const main = document.querySelector("main");
const places = new Map([...main.querySelectorAll("[data-swap]")].map((place) => [place.dataset.swap, place]));

const query = new URLSearchParams({ format: "content", history: 1 });
for (const name of places.keys()) query.append("channel", main.dataset.prefix + name);
const stream = new EventSource(`${main.dataset.stream}?${query}`);

let last = 0; // when the last price came
for (const [name, place] of places) {
  stream.addEventListener(name, ({ data }) => {
    place.innerHTML = data;
    last = Date.now();
    showState();
  });
}

// What the visitor sees of the connection. Prices that stop are worth a word, too: the connection
// may be fine and the app be gone.
const patience = 5000;
function showState() {
  const waits = Date.now() - last > patience;
  const state = !navigator.onLine ? "offline"
    : stream.readyState === EventSource.CLOSED ? "closed"
    : stream.readyState === EventSource.CONNECTING ? "connecting"
    : waits ? "waiting" : "open";
  $("status").dataset.state = state;
  $("status").textContent = { open: "live", waiting: "connected, no new prices", closed: "rejected by the server" }[state] ?? state;
  main.classList.toggle("stale", state !== "open");
  $("updated").textContent = last ? `Last one at ${new Date(last).toLocaleTimeString()}.` : "None has come yet.";
}
stream.onopen = stream.onerror = showState;
for (const event of ["online", "offline"]) addEventListener(event, showState);
setInterval(showState, 1000);
