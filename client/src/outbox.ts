import { RealtimeError, textOf, type LocalErrorCode } from './error.js';
import type { ErrorCode } from './codes.js';
import type { Command, Envelope, Payload } from './wire.js';
import { later, type Timer } from './time.js';

/** A command, and the functions for its answer. */
export interface Entry {
  /** Ids ascend. */
  readonly command: Command & { id: number };
  readonly done?: ((answer: Envelope) => void) | undefined;
  fail(error: RealtimeError): void;
}

interface Queued extends Entry {
  /** The command belongs to this connection and is sent before all others. */
  readonly urgent: boolean;
  /** The client sends the command again if it was too fast for the server. So later commands must not overtake it. */
  patient: boolean;
  /** The burst in which the command was sent. */
  wave: number;
}

/**
 * How many commands may wait for their answers at once. It is less than the number of
 * violations after which a server closes a connection. So a client that sends too many after
 * a reconnect receives the errors before the server closes the connection.
 */
const inFlight = 16;

/**
 * The commands without an answer. They wait here while there is no connection. If a
 * connection ends before the answer, its commands are sent again on the next one. Keys make
 * that harmless.
 */
export class Outbox {
  readonly #limit: number;
  readonly #dropOldest: boolean;
  #waiting: Queued[] = [];
  #sent = new Map<unknown, Queued>();
  #send: ((command: Command) => void) | undefined;
  /** The time between two commands, after the client was too fast for the server. */
  #pace = 0;
  #pause: Timer | undefined;
  #wave = 0;

  constructor(limit: number, dropOldest: boolean) {
    this.#limit = limit;
    this.#dropOldest = dropOldest;
  }

  /**
   * Queues a command. Urgent ones belong to the connection, go first, and are not counted. An urgent
   * one with `done` is a call, which is sent once.
   */
  add(entry: Entry, urgent = false): void {
    this.#wait({ ...entry, urgent, patient: urgent ? !entry.done : !this.#send, wave: 0 });
    this.#pump();
    const counted = this.#waiting.filter((waiting) => !waiting.urgent);
    if (urgent || counted.length <= this.#limit) return;
    const dropped = this.#dropOldest ? counted[0]! : counted.at(-1)!;
    this.#waiting.splice(this.#waiting.indexOf(dropped), 1);
    dropped.fail(new RealtimeError('BUFFER_FULL', 'buffer full'));
  }

  /** Gives a command up. The client does not send it again, and ignores its answer. */
  forget(id: number): void {
    this.#waiting = this.#waiting.filter((entry) => entry.command.id !== id);
    const sent = this.#sent.get(id);
    // From now on it counts as a command of this connection.
    if (sent) Object.assign(sent, { urgent: true, patient: false });
  }

  /** Starts to send, on a new connection. */
  up(send: (command: Command) => void): void {
    this.#send = send;
    this.#pump();
  }

  /** Handles the end of the connection. */
  down(): void {
    this.#send = undefined;
    this.#rest(0);
    const left = [...this.#sent.values(), ...this.#waiting].filter((entry) => !entry.urgent);
    this.#sent.clear();
    this.#waiting = [];
    for (const entry of left) this.#wait(Object.assign(entry, { patient: true }));
  }

  /** Handles an answer. Returns false if no command waits for it. */
  settle(answer: Envelope): boolean {
    const entry = this.#sent.get(answer.id);
    if (!entry) return false;
    this.#sent.delete(entry.command.id);
    const { code, retryAfter } = answer.payload;
    if (answer.type !== 'error') entry.done?.(answer);
    else if (code === 'RATE_LIMITED' && entry.patient) this.#slow(entry, retryAfter ?? 0);
    else entry.fail(errorOf(answer.payload));
    this.#pump();
    return true;
  }

  /** Rejects all commands. */
  fail(error: RealtimeError): void {
    const all = [...this.#sent.values(), ...this.#waiting];
    this.down();
    this.#waiting = [];
    for (const entry of all) entry.fail(error);
  }

  #wait(entry: Queued): void {
    this.#waiting.push(entry);
    this.#waiting.sort((a, b) => +b.urgent - +a.urgent || a.command.id - b.command.id);
  }

  #pump(): void {
    for (let entry; this.#send && !this.#pause && (entry = this.#waiting[0]);) {
      if (this.#sent.size >= (this.#pace ? 1 : inFlight)) return;
      this.#waiting.shift();
      entry.wave = this.#wave;
      const { command, urgent } = entry;
      const after = !urgent && this.#delayed();
      entry.patient ||= after;
      this.#sent.set(entry.command.id, entry);
      if (this.#pace) this.#rest(this.#pace);
      try {
        this.#send(after ? { ...command, payload: { ...command.payload, after } } : command);
      } catch (error) {
        // The content cannot be written as JSON.
        this.#sent.delete(entry.command.id);
        entry.fail(new RealtimeError('INVALID_MESSAGE', textOf(error)));
      }
    }
    // The server may reject the commands in flight, too, because the client is still too fast.
    if (!this.#waiting.length && !this.#sent.size) this.#pace = 0;
  }

  /** Reports whether the server may reject a command in flight. It would then reject those that follow with `after`, too. */
  #delayed(): boolean {
    return [...this.#sent.values()].some((sent) => sent.patient && !sent.urgent);
  }

  /**
   * Puts a command back and sends more slowly: one command after the other, with pauses
   * that grow while they are too short. The answers to one burst count once.
   */
  #slow(entry: Queued, retryAfter: number): void {
    this.#wait(entry);
    if (entry.wave !== this.#wave) return;
    this.#wave++;
    this.#rest(Math.min(5000, Math.max(100, retryAfter, 2 * this.#pace)));
  }

  /** Pauses, also before each of the following commands; 0 ends that. */
  #rest(pace: number): void {
    this.#pace = pace;
    clearTimeout(this.#pause);
    this.#pause = pace ? later(() => this.#rested(), pace) : undefined;
  }

  #rested(): void {
    this.#pause = undefined;
    this.#pump();
  }
}

/** Returns the error in a payload. */
export function errorOf({ code = 'INTERNAL', message = '', retryAfter }: Payload): RealtimeError {
  return new RealtimeError(code as ErrorCode | LocalErrorCode, message, retryAfter);
}
