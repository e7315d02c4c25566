import { resolve, type Patch } from './patch.js';
import type { Json } from './tree.js';
import type { Payload, WireDocument } from './wire.js';

/** The state of a room's document, for tabs that open it later. */
export class SharedCopy {
  #document: WireDocument | undefined;

  constructor(document: WireDocument) {
    this.#document = document;
  }

  /** The state of the document; undefined if the worker no longer knows it. */
  get document(): WireDocument | undefined {
    return this.#document;
  }

  forget(): void {
    this.#document = undefined;
  }

  /** Applies a version. Returns false if the tabs have it already. */
  apply({ epoch, serverVersion, patch }: Payload): boolean {
    const old = this.#document;
    if (!old) return true;
    const ahead = serverVersion! - old.version;
    if (epoch === old.epoch && ahead <= 0) return false;
    this.forget();
    if (epoch !== old.epoch || ahead > 1) return true;
    try {
      this.#document = { ...old, version: serverVersion!, state: resolve(old.state as Json, patch as Patch).value };
    } catch {
      // The change does not fit, so this state differs from that of the server.
    }
    return true;
  }
}
