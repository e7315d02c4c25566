import type { Tab } from './sharedtab.js';
import type { Command, Envelope } from './wire.js';

/** What a queue needs from its connection. */
export interface QueueConnection {
  /** The queue of the newest message on the connection. */
  lastQueue: MessageQueue | undefined;
  ask(command: Command, done: (answer: Envelope) => void): void;
}

/**
 * The messages of one tab. A message with `after` names its predecessor, which has to be the newest message on the
 * connection. If another tab has sent a message since, this one waits here for the answers to its predecessors.
 */
export class MessageQueue {
  readonly #tab: Tab;
  readonly #connection: QueueConnection;
  readonly #waiting: Command[] = [];
  /** How many messages have no answer yet. */
  #open = 0;
  /** The answer to the newest message, if the server rejected it because the client was too fast. */
  #limited: Envelope | undefined;
  #newest: Command | undefined;

  constructor(tab: Tab, connection: QueueConnection) {
    this.#tab = tab;
    this.#connection = connection;
  }

  push(command: Command): void {
    this.#waiting.push(command);
    this.#pump();
  }

  #pump(): void {
    for (let command; (command = this.#waiting[0]); this.#waiting.shift()) {
      const { after, ...payload } = command.payload;
      if (!after || this.#connection.lastQueue === this) this.#send(command, command);
      else if (this.#open) return;
      else if (this.#limited) this.#tab.reply(command.id, this.#limited);
      else this.#send(command, { ...command, payload });
    }
  }

  #send(command: Command, sent: Command): void {
    this.#connection.lastQueue = this;
    this.#open++;
    this.#newest = command;
    this.#limited = undefined;
    this.#connection.ask(sent, (answer) => {
      this.#open--;
      if (command === this.#newest && answer.payload.code === 'RATE_LIMITED') this.#limited = answer;
      this.#tab.reply(command.id, answer);
      this.#pump();
    });
  }
}
