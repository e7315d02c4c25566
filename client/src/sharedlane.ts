import type { Tab } from './sharedtab.js';
import type { Command, Envelope } from './wire.js';

/** What a lane needs from its connection. */
export interface Road {
  /** The lane of the newest message on the connection. */
  last: Lane | undefined;
  ask(command: Command, done: (answer: Envelope) => void): void;
}

/**
 * The messages of one tab. The server holds a message with `after` to the one before it on the connection, which
 * may be that of another tab. Then the message waits here for the answers to its own predecessors.
 */
export class Lane {
  readonly #tab: Tab;
  readonly #road: Road;
  readonly #waiting: Command[] = [];
  /** How many messages have no answer yet. */
  #open = 0;
  /** The answer to the newest message, if that came too fast for the server. */
  #limited: Envelope | undefined;
  #newest: Command | undefined;

  constructor(tab: Tab, road: Road) {
    this.#tab = tab;
    this.#road = road;
  }

  push(command: Command): void {
    this.#waiting.push(command);
    this.#pump();
  }

  #pump(): void {
    for (let command; (command = this.#waiting[0]); this.#waiting.shift()) {
      const { after, ...payload } = command.payload;
      if (!after || this.#road.last === this) this.#send(command, command);
      else if (this.#open) return;
      else if (this.#limited) this.#tab.reply(command.id, this.#limited);
      else this.#send(command, { ...command, payload });
    }
  }

  #send(command: Command, sent: Command): void {
    this.#road.last = this;
    this.#open++;
    this.#newest = command;
    this.#limited = undefined;
    this.#road.ask(sent, (answer) => {
      this.#open--;
      if (command === this.#newest && answer.payload.code === 'RATE_LIMITED') this.#limited = answer;
      this.#tab.reply(command.id, answer);
      this.#pump();
    });
  }
}
