type Listen = (type: string, listener: (event: Event) => void, options: { signal: AbortSignal }) => void;

/** The part of a browser's global object that tells what becomes of the page. */
export interface PageScope {
  addEventListener?: Listen;
  readonly navigator?: { readonly onLine?: boolean };
  readonly document?: { readonly visibilityState: string; addEventListener: Listen };
}

/** What a page tells its connection. */
export interface PageHooks {
  /** The network or the user is back; timers may have slept until now. */
  wake(): void;
  /** The network is gone, says the browser. */
  offline(): void;
  /** The page goes into the back/forward cache, which is closed to pages with a connection. */
  suspend(): void;
  /** The page came back from there. */
  resume(): void;
}

/** Watches a page until the returned function is called. Workers have no document, Node.js no events. */
export function watchPage(page: PageScope, hooks: PageHooks): () => void {
  const abort = new AbortController();
  const on = (target: { addEventListener?: Listen } | undefined, type: string, then: (event: Event) => void): void =>
    target?.addEventListener?.(type, then, abort);
  const persisted = (event: Event): boolean => (event as PageTransitionEvent).persisted;
  on(page, 'online', () => hooks.wake());
  on(page, 'offline', () => hooks.offline());
  on(page, 'pagehide', (event) => persisted(event) && hooks.suspend());
  on(page, 'pageshow', (event) => persisted(event) && hooks.resume());
  on(page.document, 'resume', () => hooks.wake());
  on(page.document, 'visibilitychange', () => page.document!.visibilityState === 'visible' && hooks.wake());
  return () => abort.abort();
}
