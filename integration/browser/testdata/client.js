// A page with the browser client, as the server delivers it.
import { Realtime } from '/rt/client.js';

/** Connects a client that is quick to try again, and notes its states. */
window.start = (options) => {
  const client = new Realtime(undefined, { minDelay: 100, maxDelay: 500, timeout: 2000, ...options });
  client.on('state', ({ state, transport, reason }) => note(state, { transport, code: String(reason?.code ?? '') }));
  client.on('error', ({ code, message }) => note('error', { code, message }));
  return client.connect();
};

/** Subscribes to a channel, and notes what becomes of it and who is there. */
window.join = (client, channel, options) => {
  const subscription = client.subscribe(channel, options);
  subscription.on('state', ({ state, error }) => note(state, error?.code));
  subscription.on('message', (message) => note('message', message));
  subscription.on('gap', (gap) => note('gap', gap));
  for (const name of ['enter', 'leave', 'update']) {
    subscription.presence.on(name, ({ id }) => note(name, id));
  }
  subscription.presence.on('sync', (members) => note('sync', [...members.keys()].sort()));
  return subscription;
};
