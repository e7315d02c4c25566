package session

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/editor"
)

// line is the connection of an editor.
type line struct{ c *client }

func (l line) Say(frame string) { l.c.say(frame) }
func (l line) Take() []string   { return l.c.wire.take() }
func (l line) Lose()            { l.c.Conn().Close(hub.ReasonLost) }

func converge(t *testing.T, seed uint64, o document.Options) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Limits{}, desk(o))
		withDocuments(t, w)
		rnd, seen := rand.New(rand.NewPCG(seed, 1)), new(editor.Seen)
		dial := func(user string) (editor.Line, error) {
			c, e := w.dial(named(user))
			if e != nil {
				t.Error(e)
				return nil, e
			}
			return line{c}, nil
		}
		var editors []*editor.Editor
		for i := range 2 + rnd.IntN(19) {
			editors = append(editors, editor.New(t, fmt.Sprint("u", i), "doc", seed<<8|uint64(i), seen, dial))
		}
		for range 150 {
			var wg sync.WaitGroup
			for _, e := range editors {
				wg.Go(e.Act)
			}
			wg.Wait()
			if rnd.IntN(3) == 0 {
				time.Sleep(time.Millisecond) // lets everything arrive
			}
		}
		for _, e := range editors {
			for n := 0; !e.Finish(); n++ {
				if synctest.Wait(); n == 1000 {
					t.Fatal("an editor waits for answers")
				}
			}
		}
		synctest.Wait()
		snap, e := w.registry.Documents.Read(t.Context(), Caller{App: true}, "doc")
		if e != nil {
			t.Fatal(e)
		}
		editor.Judge(t, editors, snap.Version, string(snap.State))
	})
}

func TestConverge(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		for name, o := range map[string]document.Options{"merge": {}, "strict": {Strict: true}, "short history": {History: 3}} {
			t.Run(fmt.Sprint(name, "/", seed), func(t *testing.T) {
				t.Parallel()
				converge(t, seed, o)
			})
		}
	}
}
