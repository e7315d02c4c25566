// The shared worker starts here. Its words:
//
// - Page: a page of the app with a client (shared.ts). Port: what a page and the worker talk over (sharedport.ts).
// - Tab: the worker's end of a page's connection (sharedtab.ts).
// - Connection: one WebSocket to the server, and its tabs (sharedconnection.ts).
// - Lease: the token of a connection that lives longest.
// - Queue: the messages of one tab on their way to the server (sharedqueue.ts).
// - Room: a channel of a connection (sharedroom.ts). Subscriber: a tab that is subscribed to it. Newcomer: a tab that
//   waits until the server has answered the room's subscribe.
// - Appearance: the status and the info that others see of a tab, or of all tabs of a room (sharedappearance.ts).
// - Copy: the state of a room's document (shareddocument.ts).
import { SharedConnection } from './sharedconnection.js';
import type { FromPage, FromWorker, Opening } from './sharedport.js';
import { Tab, type TabHooks } from './sharedtab.js';

/** Returns the function with which a worker accepts pages. */
export function server(): (port: MessagePort) => void {
  /** By address and key. */
  const connections = new Map<string, SharedConnection>();

  const connectionTo = (url: string, key: string): SharedConnection => {
    const name = `${key} ${url}`;
    let connection = connections.get(name);
    if (connection) return connection;
    connection = new SharedConnection(url, () => connections.get(name) === connection && connections.delete(name));
    connections.set(name, connection);
    return connection;
  };

  const open = (port: MessagePort, { url, key, timeout }: Opening): void => {
    const connection = connectionTo(url, key);
    const hooks: TabHooks = {
      frame: (text) => connection.command(tab, text),
      gone: (goodbye) => connection.leave(tab, goodbye),
    };
    const tab = new Tab(port, hooks, timeout);
    connection.join(tab);
  };

  return (port) => {
    // The first message has the address to connect to.
    port.onmessage = ({ data }: MessageEvent<FromPage>) => {
      port.onmessage = null;
      if (data.type !== 'open') return;
      port.postMessage({ type: 'ready' } satisfies FromWorker);
      try {
        open(port, data);
      } catch (error) {
        // The policy of the worker forbids the address.
        port.postMessage({ type: 'end', code: 1006, reason: String(error) } satisfies FromWorker);
      }
    };
  };
}
