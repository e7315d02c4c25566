// What documents.js takes from client.js, in one place, so that the bundle has one import.
export { Emitter, Realtime as Client, RealtimeError } from './index.js';
export type { Options, SubscribeOptions, Subscription } from './index.js';
