package editor

import (
	"fmt"
	"hash/fnv"
	"sync"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/document"
)

// Seen is what several editors have seen: for all of them a version is the same state,
// whenever and however they get there. So all of them pass only through states of one order
// of changes.
type Seen struct {
	mu     sync.Mutex
	states map[uint64]uint64 // hashes, by version
}

func (s *Seen) note(t testing.TB, name string, version uint64, state document.Tree) {
	h := fnv.New64a()
	_, _ = h.Write(state.Text())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.states == nil {
		s.states = make(map[uint64]uint64)
	}
	if was, there := s.states[version]; there && was != h.Sum64() {
		t.Errorf("version %d of %s is %s, and others have seen it otherwise", version, name, state.Text())
	}
	s.states[version] = h.Sum64()
}

// Judge makes all editors, which must be finished, read to the end. It checks that they
// show what the server has, and that every version is a change of one of them, made once.
func Judge(t testing.TB, editors []*Editor, version uint64, state string) {
	t.Helper()
	versions := make(map[uint64]string)
	made, rejected, losses := 0, 0, 0
	for _, e := range editors {
		e.read(1 << 20)
		if got := string(e.View().Text()); e.version != version || got != state {
			t.Errorf("%s has version %d, %s\nthe server %d, %s", e.name, e.version, got, version, state)
		}
		for local, v := range e.made {
			mine := fmt.Sprintf("change %d of %s", local, e.name)
			if other, twice := versions[v]; twice || e.rejected[local] {
				t.Errorf("version %d is %s, and %s", v, mine, other)
			}
			versions[v] = mine
		}
		made, rejected, losses = made+len(e.made), rejected+len(e.rejected), losses+e.losses
		if uint64(len(e.made)+len(e.rejected)) != e.local {
			t.Errorf("%s has %d changes, %d made and %d rejected", e.name, e.local, len(e.made), len(e.rejected))
		}
	}
	if uint64(made) != version {
		t.Errorf("%d changes were made, the document is at version %d", made, version)
	}
	t.Logf("%d editors, %d changes made, %d rejected, %d connections lost", len(editors), made, rejected, losses)
}

// Version returns the version of the editor's state.
func (e *Editor) Version() uint64 { return e.version }

// Read handles what has arrived.
func (e *Editor) Read() {
	if e.line != nil {
		e.read(1 << 20)
	}
}
