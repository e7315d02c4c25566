import { EventStreamParser, type StreamSink } from './eventstream.js';
import { read, refusal, type Http } from './http.js';
import { textOf } from './error.js';
import { lost, type Ending } from './transport.js';

/** The events of a stream. */
export interface StreamListener extends StreamSink {
  /** Data arrived, or a comment. */
  heard(): void;
  end(ending: Ending): void;
}

/** Opens a stream. The returned function ends it without another call of the listener. */
export type OpenStream = (http: Http, url: URL, listener: StreamListener) => () => void;

/**
 * Reads a stream with fetch, which shows everything: comments (the server's
 * heartbeat), statuses, Retry-After and events of any name.
 */
export const fetchStream: OpenStream = (http, url, listener) => {
  const abort = new AbortController();
  const end = (ending: Ending): void => {
    if (!abort.signal.aborted) listener.end(ending);
  };
  const run = async (): Promise<void> => {
    const { signal } = abort;
    const response = await http.send(url, { headers: { accept: 'text/event-stream' }, cache: 'no-store', signal });
    const type = response.headers.get('content-type') ?? '';
    if (response.status !== 200 || !type.startsWith('text/event-stream')) {
      return end(refusal(await read(response)));
    }
    const reader = response.body!.getReader();
    const decoder = new TextDecoder();
    const parser = new EventStreamParser(listener);
    for (;;) {
      const { value, done } = await reader.read();
      if (signal.aborted) return;
      if (done) return end(lost('stream ended'));
      listener.heard();
      parser.push(decoder.decode(value, { stream: true }));
    }
  };
  run().catch((error: unknown) => end(lost(textOf(error))));
  return () => abort.abort();
};

/**
 * Reads a stream with an EventSource. It hides the server's heartbeats, the reason of a
 * rejection, and events whose names it does not know.
 */
export function eventSourceStream(EventSourceClass: typeof EventSource, names: readonly string[]): OpenStream {
  return (http, url, listener) => {
    // An EventSource has no headers for the token.
    if (http.token) url.searchParams.set('token', http.token);
    const source = new EventSourceClass(url, { withCredentials: http.credentials === 'include' });
    let stop = (): void => source.close();
    const failed = (): void => {
      const refused = source.readyState === 2;
      // The state machine resumes the stream: it knows the page and the backoff.
      source.close();
      // A fetch finds the reason of the rejection. The server may also accept it this time.
      if (refused) stop = fetchStream(http, url, listener);
      else listener.end(lost('stream ended'));
    };
    const take = (event: Event): void => {
      const { data, lastEventId } = event as MessageEvent<unknown>;
      if (typeof data !== 'string') return failed();
      if (lastEventId) listener.cursor(lastEventId);
      listener.event(data);
    };
    for (const name of [...ownNames, ...names]) source.addEventListener(name, take);
    return () => stop();
  };
}

/** The names of events that are not messages, and of plain messages. A failure is also called `error`. */
const ownNames = 'message connected subscribed unsubscribed presence gap reconnect error close remote-change'.split(' ');
