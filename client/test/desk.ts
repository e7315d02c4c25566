import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { Realtime, type Patch, type SharedDocument } from '../src/documents.js';
import type { Payload } from '../src/wire.js';
import { World } from './world.js';

type Sent = Payload & { baseVersion: number };

/** A page with a document, and a server that says what the test has it say. */
export class Desk {
  readonly seen: unknown[] = [];
  constructor(
    readonly w: World,
    readonly doc: SharedDocument<any>,
  ) {
    doc.on('change', ({ value, remote }) => this.seen.push([remote ? 'remote' : 'own', value]));
    doc.on('conflict', ({ patch }) => this.seen.push(['conflict', patch]));
    doc.on('rejected', ({ patch, error }) => this.seen.push([error.code, patch]));
  }

  /** What was seen since the last call. */
  get news(): unknown[] {
    return this.seen.splice(0);
  }

  /** The changes that were sent over this connection. */
  get sent(): Sent[] {
    return this.w.socket.all('change').map(({ payload }) => payload as Payload as Sent);
  }

  subscribed(state: unknown, version: number, epoch = 'e'): void {
    this.w.socket.subscribed({ document: { epoch, version, state } });
  }

  remote(serverVersion: number, patch: Patch, epoch = 'e'): void {
    this.w.socket.say({ type: 'remote-change', payload: { channel: 'd', epoch, serverVersion, patch } });
  }

  accept(serverVersion: number, more: Payload = {}): void {
    const { localVersion } = this.sent.at(-1)!;
    const payload = { channel: 'd', localVersion: localVersion!, epoch: 'e', serverVersion, ...more };
    this.w.socket.answer('change', 'change-accepted', payload);
  }

  reject(code: string, serverVersion: number, serverState: unknown): void {
    const { localVersion } = this.sent.at(-1)!;
    const about = { channel: 'd', localVersion: localVersion!, epoch: 'e', serverVersion, serverState };
    const payload = { ...about, code, message: 'no' };
    this.w.socket.answer('change', 'change-rejected', payload);
  }

  async reconnect(): Promise<void> {
    this.w.socket.drop();
    await this.w.retry();
    this.w.socket.greet();
  }
}

export async function desk(t: TestContext, state: unknown = { title: 'a', items: {} }, version = 4): Promise<Desk> {
  const w = new World(t);
  w.Client = Realtime;
  await w.open();
  const d = new Desk(w, (w.client as Realtime).document('d'));
  d.subscribed(state, version);
  assert.equal(d.doc.status, 'synced');
  d.news;
  return d;
}
