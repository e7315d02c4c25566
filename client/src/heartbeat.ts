import { later, type Timer } from './time.js';

/** What a {@link Heartbeat} calls. */
export interface Pulse {
  /** Sends a ping, which the server must answer. */
  ping(): void;
  /** The server did not answer in time. */
  lost(): void;
}

/**
 * Notices a silent server. Browsers answer WebSocket pings without telling the page. So the
 * client sends a ping after an interval without a frame. Every frame counts as an answer. A
 * dead server is found within interval + timeout.
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

  /** Handles a sign of life: a frame or a comment. */
  heard(): void {
    if (!this.#interval) return;
    this.#asking = false;
    clearTimeout(this.#timer);
    this.#timer = later(() => this.check(), this.#interval);
  }

  /** Pings at once: the network changed, or the page was asleep. */
  check(): void {
    if (!this.#interval || this.#asking) return;
    this.#asking = true;
    clearTimeout(this.#timer);
    this.#timer = later(() => this.#pulse.lost(), this.#timeout);
    this.#pulse.ping();
  }
}
