/** The parts of an event stream. */
export interface StreamSink {
  /** An event with data. */
  event(data: string): void;
  /** The id of the last event. The stream is resumed with it. */
  cursor(id: string): void;
  /** How long to wait before the stream is resumed, in milliseconds. */
  retry(ms: number): void;
}

/**
 * Reads the format of Server-Sent Events (WHATWG HTML, section 9.2) from pieces
 * of text. It skips names of events: an envelope has its own type.
 */
export class EventStreamParser {
  readonly #sink: StreamSink;
  #line = '';
  #afterReturn = false;
  #data: string[] = [];
  #id: string | undefined;

  constructor(sink: StreamSink) {
    this.#sink = sink;
  }

  push(text: string): void {
    if (!text) return;
    // A CR at the end of a piece and a LF at the beginning of the next are one line break.
    if (this.#afterReturn && text[0] === '\n') text = text.slice(1);
    this.#afterReturn = text.endsWith('\r');
    const lines = (this.#line + text).split(/\r\n|\n|\r/);
    this.#line = lines.pop()!;
    for (const line of lines) this.#read(line);
  }

  #read(line: string): void {
    if (!line) return this.#dispatch();
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line)!;
    if (name === 'data') this.#data.push(value);
    else if (name === 'id' && !value.includes('\0')) this.#id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) this.#sink.retry(Number(value));
  }

  #dispatch(): void {
    const data = this.#data;
    this.#data = [];
    if (this.#id !== undefined) this.#sink.cursor(this.#id);
    if (data.length) this.#sink.event(data.join('\n'));
  }
}
