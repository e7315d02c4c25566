package node

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// brokenBroker is a broker whose Close panics.
type brokenBroker struct{ *memory.Broker }

func (b brokenBroker) Close() error {
	_ = b.Broker.Close()
	panic("broker")
}

// brokenMembers is a store of members whose Close panics.
type brokenMembers struct{ *memory.PresenceStore }

func (m brokenMembers) Close() error {
	_ = m.PresenceStore.Close()
	panic("members")
}

// newBrokenNode returns a node whose hub and members panic when they are closed.
func newBrokenNode(t *testing.T, exits bool, log *panictest.Log) (*Node, *memory.DocumentStore) {
	t.Helper()
	n := New(func() bool { return exits })
	var err1, err2, err3 error
	n.hub, err1 = hub.New(func(s hub.Sink) (hub.Broker, error) {
		return brokenBroker{memory.New(s, memory.Options{})}, nil
	})
	n.members, err2 = presence.New(
		func(s presence.Sink) (presence.Store, error) { return brokenMembers{memory.NewPresenceStore(s)}, nil },
		func(string, presence.Frame) {},
	)
	var store *memory.DocumentStore
	n.documents, err3 = document.New(
		func(s document.Sink) (document.Store, error) { store = memory.NewDocumentStore(s); return store, nil },
		func(document.News) {},
	)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	n.hub.Apply(hub.Settings{Logger: log.Logger()})
	return n, store
}

// A part of a hub that panics when it is closed does not keep the other parts open, at
// the end of a hub and at the end of the process.
func TestPanicInTheEndOfAHub(t *testing.T) {
	for name, exits := range map[string]bool{"reload": false, "exit": true} {
		t.Run(name, func(t *testing.T) {
			log := new(panictest.Log)
			synctest.Test(t, func(t *testing.T) {
				n, documents := newBrokenNode(t, exits, log)
				if err := n.Destruct(); exits != errors.Is(err, errPanicked) {
					t.Errorf("the end of the hub returns %v", err)
				}
				synctest.Wait()
				if got := log.Panics(t, "the end of a hub"); len(got) != 2 || got[0] != "broker" || got[1] != "members" {
					t.Errorf("panics: %q", got)
				}
				if err := documents.Attach(t.Context(), "doc"); !errors.Is(err, document.ErrClosed) {
					t.Errorf("the documents are not closed: %v", err)
				}
				if !n.mu.TryLock() {
					t.Error("the node stays locked")
				}
			})
		})
	}
}
