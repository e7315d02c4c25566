export { connect, Emitter, Realtime as Client, RealtimeError } from './index.js';
export type { Options, SubscribeOptions, Subscription } from './index.js';
