package drills

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/editor"
)

const deskChannel = "doc:1"

// desk is a document that many edit over WebSockets and follow over event streams, while
// the server is killed.
type desk struct {
	t       *testing.T
	base    string
	editors []*editor.Editor
	over    chan struct{} // closed when the editors make no more changes
	leave   func()        // ends the event streams
	gone    chan struct{} // closed by leave
	working sync.WaitGroup

	reading sync.WaitGroup
	readers []*deskReader
}

// openDesk lets the editors work until finish.
func openDesk(t *testing.T, base string) *desk {
	k := &desk{t: t, base: base, over: make(chan struct{}), gone: make(chan struct{})}
	seed, seen := rand.Uint64(), new(editor.Seen)
	t.Logf("seed %d", seed)
	for i := range 6 {
		e := editor.New(t, fmt.Sprint("u", i), deskChannel, seed+uint64(i), seen, k.dial)
		k.editors = append(k.editors, e)
		k.working.Go(func() {
			for untilOver(k.over, 10*time.Millisecond) {
				e.Act()
			}
		})
	}
	k.leave = sync.OnceFunc(func() { close(k.gone); k.reading.Wait() })
	for range 3 {
		r := &deskReader{desk: k}
		k.readers = append(k.readers, r)
		k.reading.Go(r.run)
	}
	t.Cleanup(k.leave)
	return k
}

func (k *desk) dial(user string) (editor.Line, error) {
	conn, err := openWS(dialer(), k.base, http.Header{"X-User": {user}})
	if err != nil {
		return nil, err // the server is down
	}
	return follow(k.t, &editorLine{t: k.t, conn: conn, mortal: true}), nil
}

// finish ends the work, and checks that all have the same. It returns the version of the document.
func (k *desk) finish() uint64 {
	k.t.Helper()
	close(k.over)
	k.working.Wait()
	until(k.t, "all changes are answered", func() bool {
		all := true
		for _, e := range k.editors {
			all = e.Finish() && all
		}
		return all
	})
	version, state := documentOf(k.t, k.base, deskChannel)
	until(k.t, "all changes have arrived", func() bool {
		for _, e := range k.editors {
			if e.Read(); e.Version() < version {
				return false
			}
		}
		for _, r := range k.readers {
			if r.version.Load() < version {
				return false
			}
		}
		return true
	})
	editor.Judge(k.t, k.editors, version, state)
	for _, e := range k.editors {
		e.Leave()
	}
	k.leave()
	return version
}

// deskReader follows the document over event streams, each of which goes on where the one before
// has ended.
type deskReader struct {
	desk    *desk
	version atomic.Uint64

	// Owned by run.
	epoch, lastID string
}

func (r *deskReader) run() {
	client := streamClient()
	for untilOver(r.desk.gone, rand.N(200*time.Millisecond)) {
		c, err := openSSE(client, streamURL(r.desk.base, deskChannel), r.lastID)
		if err != nil {
			continue // the server is down
		}
		over := make(chan struct{})
		go func() {
			select {
			case <-r.desk.gone:
				c.close()
			case <-over:
			}
		}()
		r.follow(c)
		close(over)
		c.close()
	}
}

func (r *deskReader) follow(c *sseClient) {
	t, p := r.desk.t, payload{}
	for {
		ev, err := c.next()
		if err != nil {
			return
		}
		r.lastID = c.lastID
		switch p = ev.Payload; ev.Type {
		case "subscribed":
			if r.epoch != "" && p.Document.Epoch != r.epoch || p.Document.Version < r.version.Load() {
				t.Errorf("a stream goes on from version %d of %s to %d of %s", r.version.Load(), r.epoch, p.Document.Version, p.Document.Epoch)
			}
			r.epoch = p.Document.Epoch
			r.version.Store(p.Document.Version)
		case "remote-change":
			if at := r.version.Load() + 1; p.ServerVersion > at {
				t.Errorf("a stream has version %d where %d should be", p.ServerVersion, at)
			}
			r.version.Store(max(r.version.Load(), p.ServerVersion))
		case "gap":
			t.Errorf("a stream has %v", ev)
		}
	}
}
