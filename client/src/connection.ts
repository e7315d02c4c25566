import { Auth } from './auth.js';
import type { CloseCode } from './codes.js';
import { Doubt } from './doubt.js';
import { RealtimeError, textOf } from './error.js';
import { Heartbeat } from './heartbeat.js';
import { errorOf } from './outbox.js';
import { watchPage } from './page.js';
import { passes } from './retry.js';
import { Schedule } from './schedule.js';
import type { Settings } from './settings.js';
import { StreamTransport } from './sse.js';
import type { State, Status, TransportName } from './state.js';
import { later, type Timer } from './time.js';
import { lost, type Ending, type Listener, type Transport } from './transport.js';
import { WebSocketTransport } from './websocket.js';
import type { Command, Envelope, Payload } from './wire.js';

/** The events of a connection for its owner. */
export interface ConnectionHooks {
  status(status: Status): void;
  /** Commands can be sent from now on. */
  up(): void;
  /** Commands can no longer be sent. */
  down(): void;
  /** A frame, before the connection itself handles it. */
  frame(envelope: Envelope): void;
  /** An error that ends nothing. */
  problem(error: RealtimeError): void;
  /** The channels that will be subscribed. */
  channels(): Iterable<string>;
}

/** After this many failed openings in a row, WebSocket counts as blocked. */
const blockedAfter = 2;
/** The waits between attempts to change back to WebSocket: the first, and the limit of the doubling. */
const [firstUpgrade, lastUpgrade] = [10_000, 300_000];
/** The default time between two heartbeats, and the least. */
const [defaultHeartbeat, leastHeartbeat] = [25_000, 1000];
/** How old an attempt must be, in milliseconds, before it may count as stalled. */
const freshFor = 1000;
const protocolVersion = 1;
/** `CloseCode.VERSION`. Importing it would put the whole table into the bundle. */
const otherVersion: CloseCode = 4400;
const authID = 'auth';

/**
 * The connection to the server. It reconnects by itself. Its states:
 *
 * - `connecting`: `start` was called, and the first attempt is in progress.
 * - `open`: the server said `connected` and, where there is a token,
 *   `authenticated`; commands flow.
 * - `reconnecting`: the connection is lost, or could not be made. Either the next
 *   attempt is in progress, or a timer runs (`retryIn` says how long), or the page is in the
 *   back/forward cache, and the client waits until it is back.
 * - `closed`: not started yet, stopped, or finally ended by the server.
 *
 * At most one transport is in use. `#drop` forgets a transport before anything else happens,
 * so that no event of an old one is handled. While an event stream is in use, a WebSocket may
 * be tried beside it. Its first frame puts it into use.
 */
export class Connection {
  // Fixed.
  readonly #settings: Settings;
  readonly #hooks: ConnectionHooks;
  readonly #auth: Auth;
  readonly #heartbeat: Heartbeat;
  readonly #schedule: Schedule;
  readonly #doubt: Doubt;

  // What it is doing.
  #state: State = 'closed';
  /** The last reported status. `#drop` leaves `open` before the next state is known. */
  #told: Pick<Status, 'state' | 'reason'> = { state: 'closed', reason: undefined };
  #transport: Transport | undefined;
  #transportName: TransportName | undefined;
  /** Counts the dropped transports, so that waiting code notices a change. */
  #turn = 0;
  /** The transport in use has said `connected`. */
  #greeted = false;
  #unwatch: (() => void) | undefined;

  // The current attempt.
  #triedAt = 0;
  /** The time limit for becoming open; undefined without an attempt. */
  #deadline: Timer | undefined;

  // The way around a blocked WebSocket.
  #blocked = 0;
  #candidate: Transport | undefined;
  #upgrade: Timer | undefined;
  #upgradeDelay = firstUpgrade;

  constructor(settings: Settings, hooks: ConnectionHooks) {
    this.#settings = settings;
    this.#hooks = hooks;
    this.#auth = new Auth(settings.token, settings.sse.http, hooks.problem);
    this.#schedule = new Schedule(settings.minDelay, settings.maxDelay, () => this.#dial());
    this.#doubt = new Doubt(settings.sse.http, (ending) => this.#mistaken(ending));
    this.#heartbeat = new Heartbeat(settings.timeout, {
      ping: () => this.send({ type: 'ping', payload: {} }),
      lost: () => this.#ended(lost('the server is silent')),
    });
  }

  get state(): State {
    return this.#state;
  }

  get transport(): TransportName | undefined {
    return this.#transportName;
  }

  start(): void {
    if (this.#state !== 'closed' || !this.#settings.transports.length) return;
    this.#schedule.forget();
    this.#doubt.begin();
    this.#blocked = 0;
    this.#upgradeDelay = firstUpgrade;
    this.#unwatch = watchPage(this.#settings.page, {
      wake: () => this.#wake(),
      offline: () => this.#check(),
      suspend: () => this.#suspend(),
      resume: () => this.#dial(),
    });
    this.#dial();
  }

  stop(reason: RealtimeError): void {
    if (this.#state === 'closed') return;
    if (!this.#drop(true)) return;
    this.#schedule.cancel();
    this.#doubt.end();
    this.#unwatch?.();
    this.#enter('closed', reason);
  }

  /** Sends a command. Without a connection the command is lost. */
  send(command: Command): void {
    this.#transport?.send(command);
  }

  // Opening.

  #dial(): void {
    if (!this.#drop()) return;
    this.#schedule.cancel();
    this.#begin();
    this.#transportName = this.#pick();
    const turn = this.#turn;
    this.#enter(this.#state === 'closed' ? 'connecting' : 'reconnecting');
    this.#auth.next().then(
      () => turn === this.#turn && this.#open(),
      (error: RealtimeError) => turn === this.#turn && this.#ended(Auth.failed(error)),
    );
  }

  /** Starts an attempt. */
  #begin(): void {
    this.#triedAt = Date.now();
    this.#limit(this.#settings.timeout, () => this.#ended(lost('no answer in time')));
  }

  /** Sets the time limit of the current attempt, and what happens then. Without arguments: there is no attempt any more. */
  #limit(wait = 0, then?: () => void): void {
    clearTimeout(this.#deadline);
    this.#deadline = then && later(then, wait);
  }

  /** Returns WebSocket, unless it is blocked. */
  #pick(): TransportName {
    const [first, second] = this.#settings.transports;
    return (this.#blocked >= blockedAfter && second) || first!;
  }

  #open(): void {
    try {
      this.#transport = this.#make(this.#transportName!);
    } catch (error) {
      // The page's policy forbids it, and will forbid it again.
      this.#blocked = blockedAfter;
      this.#ended(lost(textOf(error)));
    }
  }

  /** Creates a transport. Its events count while it is in use or the candidate. */
  #make(name: TransportName): Transport {
    const used = (): boolean => transport === this.#transport;
    const listener: Listener = {
      heard: () => used() && this.#heartbeat.heard(),
      frame: (envelope) => {
        if (transport === this.#candidate) this.#adopt(transport);
        if (used()) this.#frame(envelope);
      },
      end: (ending) => {
        if (transport === this.#candidate) this.#planUpgrade();
        else if (used()) this.#ended(ending);
      },
    };
    const { WebSocket: WebSocketClass, base, sse } = this.#settings;
    const transport: Transport =
      name === 'websocket'
        ? new WebSocketTransport(WebSocketClass, base, listener)
        : new StreamTransport(sse, this.#hooks.channels(), listener);
    return transport;
  }

  #frame(envelope: Envelope): void {
    this.#heartbeat.heard();
    const { type, payload, id } = envelope;
    if (type === 'error' && id === authID) return this.#unauthenticated(errorOf(payload));
    // First, so that listeners of a new state find the data that came with it.
    this.#hooks.frame(envelope);
    if (type === 'connected') this.#greet(payload);
    else if (type === 'authenticated') this.#authenticated(envelope);
    else if (type === 'reconnect') this.#return(payload.after ?? 0);
  }

  /** Handles `connected`. A reopened event stream sends it again. */
  #greet({ heartbeat = defaultHeartbeat, version = protocolVersion }: Payload): void {
    if (version !== protocolVersion) return this.#misfit(version);
    this.#greeted = true;
    if (this.#transport?.audible) this.#heartbeat.start(heartbeat && Math.max(leastHeartbeat, heartbeat));
    if (this.#state === 'open') return;
    if (this.#transportName === 'sse') return this.#up();
    this.#blocked = 0;
    this.#upgradeDelay = firstUpgrade;
    if (!this.#authenticate()) this.#up();
  }

  #up(): void {
    this.#limit();
    this.#doubt.end();
    this.#schedule.opened();
    this.#auth.accepted();
    if (this.#transportName !== this.#settings.transports[0]) this.#planUpgrade();
    this.#enter('open');
    // A listener may have closed the client.
    if (this.#state === 'open') this.#hooks.up();
  }

  #misfit(version: number): void {
    const text = `the server speaks version ${version}, this client version ${protocolVersion}`;
    this.#mistaken({ error: new RealtimeError(otherVersion, text), retry: false });
  }

  /** Ends the client, because the address or the configuration behind it is wrong. */
  #mistaken({ error, retry }: Ending): void {
    console.error(`caddy-realtime: ${error.message}`);
    if (retry) this.#hooks.problem(error);
    else this.stop(error);
  }

  // The token. An event stream sends it with its requests instead.

  #authenticate(): boolean {
    const { token } = this.#auth;
    if (token) this.send({ type: 'authenticate', id: authID, payload: { token } });
    return !!token;
  }

  #unauthenticated(error: RealtimeError): void {
    // On an open connection this answer is for a renewal. The server ends the connection when the token expires.
    if (this.#state === 'open') {
      this.#hooks.problem(error);
      this.#auth.again(() => this.#authenticate());
    } else this.#ended({ error, retry: passes(error.code), after: error.retryAfter });
  }

  #authenticated({ timestamp, payload }: Envelope): void {
    // Both are times of the server's clock, so the page's clock does not matter.
    const { expires } = payload;
    if (expires) this.#auth.expires(expires, expires - (timestamp ?? Date.now()), () => this.#authenticate());
    if (this.#state !== 'open') this.#up();
  }

  // Ending.

  #ended(ending: Ending): void {
    const { error, after } = ending;
    this.#judge(error);
    if (!ending.retry && !this.#auth.renews(error)) return this.stop(error);
    if (!this.#drop()) return;
    const offline = this.#offline;
    if (!offline && typeof error.code === 'number') void this.#doubt.failed();
    // While a server is away, the waits come before attempts with WebSocket. With a wait before the stream, half of the
    // clients would return by a stream.
    const now = this.#transportName !== 'sse' && this.#pick() === 'sse';
    const wait = this.#schedule.returnIn ?? this.#schedule.plan(after, offline, now);
    this.#enter('reconnecting', offline ? new RealtimeError('OFFLINE', 'no network') : error, wait);
  }

  /** Records whether WebSocket works. It counts as blocked if openings fail without a frame from the server. */
  #judge({ code }: RealtimeError): void {
    if (this.#greeted || this.#offline) return;
    if (this.#transportName === 'sse') this.#blocked = blockedAfter - 1;
    else if (code === 1006) this.#blocked++;
  }

  get #offline(): boolean {
    return this.#settings.page.navigator?.onLine === false;
  }

  /** Handles `reconnect`: the server is about to end the connection, and says when to connect again. */
  #return(after: number): void {
    this.#schedule.return(after);
  }

  /** Drops the transport in use, and the candidate. Returns false if a listener has started something else. */
  #drop(goodbye?: boolean): boolean {
    const turn = ++this.#turn;
    this.#limit();
    clearTimeout(this.#upgrade);
    this.#heartbeat.stop();
    this.#auth.stop();
    const old = [this.#transport, this.#candidate];
    this.#transport = this.#candidate = undefined;
    this.#greeted = false;
    for (const transport of old) transport?.close(goodbye);
    if (this.#state === 'open') {
      this.#state = 'reconnecting';
      this.#hooks.down();
    }
    return turn === this.#turn;
  }

  #enter(state: State, reason?: RealtimeError, retryIn?: number): void {
    const { state: previous, reason: before } = this.#told;
    this.#state = state;
    if (state === 'closed') this.#transportName = undefined;
    if (state === 'reconnecting') reason ??= before;
    const status = { state, previous, reason, transport: this.#transportName, retryIn };
    this.#told = status;
    this.#hooks.status(status);
  }

  // The page.

  /**
   * Handles the return of the network or of the user. Earlier failures no longer count. An attempt
   * that started before may be stalled. So a new one replaces it, unless it becomes open first.
   */
  #wake(): void {
    if (this.#state === 'open') return this.#check();
    this.#schedule.forget();
    const rest = freshFor - (Date.now() - this.#triedAt);
    if (this.#schedule.hasty || (this.#deadline && rest <= 0)) return this.#dial();
    if (this.#deadline) this.#limit(rest, () => this.#dial());
  }

  /** Checks whether the connection still works. */
  #check(): void {
    // An event stream cannot be pinged.
    if (this.#state === 'open' && this.#transportName === 'websocket') this.#heartbeat.check();
  }

  #suspend(): void {
    if (!this.#drop()) return;
    this.#schedule.cancel();
    this.#enter('reconnecting', new RealtimeError('SUSPENDED', 'page suspended'));
  }

  // Back to WebSocket.

  #planUpgrade(): void {
    this.#candidate = undefined;
    clearTimeout(this.#upgrade);
    const delay = this.#upgradeDelay * (0.75 + Math.random() / 2);
    this.#upgrade = later(() => this.#try(), delay);
  }

  /** Tries a WebSocket beside the stream that is in use. */
  #try(): void {
    const turn = this.#turn;
    this.#upgradeDelay = Math.min(lastUpgrade, 2 * this.#upgradeDelay);
    const open = (): void => {
      if (turn !== this.#turn) return;
      this.#candidate = this.#make('websocket');
      this.#upgrade = later(() => this.#giveUp(), this.#settings.timeout);
    };
    this.#auth
      .next()
      .then(open)
      .catch(() => turn === this.#turn && this.#planUpgrade());
  }

  #giveUp(): void {
    this.#candidate?.close();
    this.#planUpgrade();
  }

  /** Changes to the candidate. */
  #adopt(transport: Transport): void {
    this.#candidate = undefined;
    if (!this.#drop()) return transport.close();
    this.#transport = transport;
    this.#transportName = transport.name;
    this.#begin();
    this.#enter('reconnecting');
  }
}
