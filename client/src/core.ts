// What documents.js, calls.js and watch.js take from client.js, in one place, so that a bundle has one import.
export { connect, Emitter, Realtime as Client, RealtimeError } from './index.js';
export type { Options, SubscribeOptions, Subscription } from './index.js';
