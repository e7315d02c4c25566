type Listen = (type: string, listener: (event: Event) => void, options: { signal: AbortSignal }) => void;

/** The part of a browser's global object that has the events of the page. */
export interface PageScope {
  addEventListener?: Listen;
  readonly navigator?: { readonly onLine?: boolean };
  readonly document?: { readonly visibilityState: string; addEventListener: Listen };
}

/** The events of a page for its connection. */
export interface PageHooks {
  /** The network or the user is back. Timers may have slept until now. */
  wake(): void;
  /** The browser says that the network is gone. */
  offline(): void;
  /** The page goes into the back/forward cache. Browsers do not cache a page with an open connection. */
  suspend(): void;
  /** The page came back from the cache. */
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
