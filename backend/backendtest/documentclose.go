package backendtest

import (
	"context"
	"errors"

	"github.com/caddy-realtime/caddy-realtime/document"
)

func documentCancelled(e *documentEnv) {
	n := e.node()
	epoch := n.load(document.Known{}).Epoch
	ctx, cancel := context.WithCancel(e.t.Context())
	cancel()
	_, loaded := n.Load(ctx, e.channel, document.Known{})
	_, committed := n.Commit(ctx, e.channel, document.Commit{Epoch: epoch, Entry: e.entry(1), Keep: documentKept})
	_, found := n.Find(ctx, e.channel, "key")
	for what, err := range map[string]error{"attach": n.Attach(ctx, e.channel), "load": loaded, "commit": committed, "find": found} {
		if !errors.Is(err, context.Canceled) {
			e.t.Errorf("%s: %v", what, err)
		}
	}
	n.commit(epoch, 1)
	if got := n.delivered(); len(got) != 0 {
		e.t.Errorf("an attach that failed delivers %d entries", len(got))
	}
}

func documentClose(e *documentEnv) {
	a, b := e.attached(), e.attached()
	epoch := a.load(document.Known{}).Epoch
	entry := a.commit(epoch, 1)
	a.must(a.Close())
	if _, err := a.Load(e.t.Context(), e.channel, document.Known{}); !errors.Is(err, document.ErrClosed) {
		e.t.Errorf("load after the end: %v", err)
	}
	if _, err := a.Commit(e.t.Context(), e.channel, document.Commit{Epoch: epoch, Entry: e.entry(2)}); !errors.Is(err, document.ErrClosed) {
		e.t.Errorf("commit after the end: %v", err)
	}
	a.Detach(e.channel)
	second := b.commit(epoch, 2)
	e.expect(b.await(2), entry, second)
	if got := a.delivered(); len(got) != 1 {
		e.t.Errorf("a closed node was told of %d entries", len(got))
	}
}
