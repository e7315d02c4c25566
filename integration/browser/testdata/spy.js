// Runs before a page: keeps what its WebSockets receive, and holds it back on demand.
{
  const Real = window.WebSocket;
  const held = [];
  let holding = false;
  window.heard = [];
  window.hold = (on) => {
    holding = on;
    while (!holding && held.length) held.shift()();
  };
  window.WebSocket = class extends Real {
    set onmessage(listener) {
      super.onmessage = (event) => {
        window.heard.push(JSON.parse(event.data));
        const pass = () => listener(event);
        if (holding) held.push(pass);
        else pass();
      };
    }
  };
}
