package policy

import (
	"encoding/json"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/lane"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// TestManyTagsAreRefused: each string with markup takes as long as some hundred bytes of
// a text, and thousands of them must not.
func TestManyTagsAreRefused(t *testing.T) {
	t.Parallel()
	for _, mode := range []Sanitize{SanitizeText, SanitizeHTML} {
		r := checked(t, Room{Sanitize: mode})
		if _, e := r.Check(list(`"a <b>c</b>"`, maxTagged)); e != nil {
			t.Errorf("%s: %d strings: %v", mode, maxTagged, e)
		}
		if _, e := r.Check(list(`"<<<<b>"`, maxTagged+1)); e == nil || code(e) != protocol.TooLarge {
			t.Errorf("%s: one string more: %v", mode, e)
		}
		if _, e := r.Check(list(`"it's"`, 9000)); e != nil {
			t.Errorf("%s: strings without markup: %v", mode, e)
		}
	}
}

func list(value string, n int) json.RawMessage {
	return json.RawMessage("[" + strings.TrimSuffix(strings.Repeat(value+",", n), ",") + "]")
}

// TestSlowChecksWait: contents that take long wait for each other, and nobody waits for
// them.
func TestSlowChecksWait(t *testing.T) {
	release := lane.Hold()
	markup := checked(t, Room{Sanitize: SanitizeHTML})
	form := checked(t, Room{Schema: schema(t, costly["rich text"].schema)})
	if _, e := markup.Check(json.RawMessage(`"<b>a</b>"`)); e != nil {
		t.Error(e)
	}
	if _, e := form.Check(json.RawMessage(`"a"`)); code(e) == protocol.TooLarge {
		t.Error(e)
	}
	brief := make(chan *protocol.Error, 1)
	go func() {
		_, e := markup.Check(json.RawMessage(`"<b>` + strings.Repeat("a", lane.Brief-len(`"<b></b>"`)) + `</b>"`))
		brief <- e
	}()
	select {
	case e := <-brief:
		if e != nil {
			t.Error(e)
		}
	case <-time.After(30 * time.Second):
		t.Errorf("a content of %d bytes waits", lane.Brief)
	}
	var slow sync.WaitGroup
	var ended atomic.Int32
	for _, check := range []func(){
		func() { _, _ = markup.Check(list(`"<b>a</b>"`, 1000)) },
		func() { _, _ = form.Check(json.RawMessage(costly["rich text"].content)) },
	} {
		slow.Go(func() {
			check()
			ended.Add(1)
		})
	}
	time.Sleep(200 * time.Millisecond) // too little can only hide a mistake
	if n := ended.Load(); n > 0 {
		t.Errorf("%d contents that take long did not wait", n)
	}
	release()
	slow.Wait()
}
