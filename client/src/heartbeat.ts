import { later, type Timer } from './time.js';

/** What a {@link Heartbeat} does. */
export interface Pulse {
  /** Sends what the server has to answer. */
  ping(): void;
  /** Nothing came back. */
  lost(): void;
}

/**
 * Notices a server that has gone silent. Browsers answer WebSocket pings without
 * telling the page, so after an interval without any frame the client asks by
 * itself; whatever arrives counts as an answer. Death is found within interval +
 * timeout.
 */
export class Heartbeat {
  readonly #pulse: Pulse;
  readonly #timeout: number;
  #interval = 0;
  #asking = false;
  #timer: Timer | undefined;

  constructor(timeout: number, pulse: Pulse) {
    this.#timeout = timeout;
    this.#pulse = pulse;
  }

  start(interval: number): void {
    this.#interval = interval;
    this.heard();
  }

  stop(): void {
    this.#interval = 0;
    clearTimeout(this.#timer);
  }

  /** Something arrived. */
  heard(): void {
    if (!this.#interval) return;
    this.#asking = false;
    clearTimeout(this.#timer);
    this.#timer = later(() => this.check(), this.#interval);
  }

  /** Asks at once: the network changed, or the page was asleep. */
  check(): void {
    if (!this.#interval || this.#asking) return;
    this.#asking = true;
    clearTimeout(this.#timer);
    this.#timer = later(() => this.#pulse.lost(), this.#timeout);
    this.#pulse.ping();
  }
}
