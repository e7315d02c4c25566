package session

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/internal/lane"
)

// TestLongPatchesWait: patches that take long to read wait for each other. They hold up no
// small change of their document, and end with their context.
func TestLongPatchesWait(t *testing.T) {
	w := newWorld(t, Limits{}, desk(document.Options{}))
	withDocuments(t, w)
	long := json.RawMessage(`{"a":[` + strings.TrimSuffix(strings.Repeat("1,", 9000), ",") + `]}`)
	amend := func(ctx context.Context, replace bool, patch json.RawMessage) (uint64, bool) {
		out, e := w.registry.Documents.Amend(ctx, Caller{Principal: named("ann")}, Proposal{Channel: "doc", Latest: true, Replace: replace, Patch: patch})
		return out.Version, e == nil && out.Err == nil
	}
	release := lane.Hold()
	brief, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond) // too little can only hide a mistake
	defer cancel()
	for _, replace := range []bool{false, true} {
		if _, ok := amend(brief, replace, long); ok {
			t.Errorf("replace %t: a long one did not wait", replace)
		}
	}
	done := make(chan bool)
	go func() {
		_, ok := amend(t.Context(), true, long)
		done <- ok
	}()
	if version, ok := amend(t.Context(), false, json.RawMessage(`{"b":1}`)); !ok || version != 1 {
		t.Errorf("a small change led to version %d, %t", version, ok)
	}
	release()
	if !<-done {
		t.Error("a long one failed")
	}
	for i, replace := range []bool{false, true} {
		if version, ok := amend(t.Context(), replace, long); !ok || version != uint64(3+i) {
			t.Errorf("replace %t: version %d, %t", replace, version, ok)
		}
	}
}
