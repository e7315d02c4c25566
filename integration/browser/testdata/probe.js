// What the tests call in a page. Whatever happens is told to the test by note.

/** Tells the test that something of a kind has happened. */
function note(kind, value) {
  tell(JSON.stringify({ kind, value }));
}

/** Notes what comes out of a promise that nobody else awaits. */
addEventListener('unhandledrejection', ({ reason }) => note('unhandled', String(reason)));
addEventListener('error', ({ message }) => note('uncaught', message));

/** Opens a WebSocket and notes what happens to it. */
function socket(url) {
  const ws = new WebSocket(url, 'realtime.v1');
  ws.onopen = () => note('open', ws.protocol);
  ws.onmessage = ({ data }) => {
    const { type, payload } = JSON.parse(data);
    note(type, payload);
  };
  ws.onclose = ({ code, reason, wasClean }) => note('closed', { code, reason, wasClean });
  return ws;
}

/** Sends a command over a WebSocket. */
function command(ws, type, payload) {
  ws.send(JSON.stringify({ type, id: type, payload }));
}

/** Opens an event stream and notes its events of these names, with their data as text. */
function stream(url, ...names) {
  const source = new EventSource(url);
  source.onopen = () => note('open');
  source.onerror = () => note('error', source.readyState);
  for (const name of ['message', ...names]) {
    source.addEventListener(name, ({ type, data, lastEventId }) => note(type, { data, lastEventId }));
  }
  return source;
}
