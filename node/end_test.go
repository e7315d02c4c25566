package node

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/backend/redis"
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
	"github.com/caddy-realtime/caddy-realtime/notify"
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

// slowBroker is a broker whose Close waits.
type slowBroker struct {
	*memory.Broker
	closing chan struct{}
}

func (b slowBroker) Close() error {
	<-b.closing
	return b.Broker.Close()
}

// newTestNode returns a started node, whose broker and store of members may be replaced.
func newTestNode(t *testing.T, exits bool, log *panictest.Log,
	broker func(*memory.Broker) hub.Broker, members func(*memory.PresenceStore) presence.Store,
) (*Node, *memory.DocumentStore) {
	t.Helper()
	n := New(func() bool { return exits })
	var err1, err2, err3 error
	n.hub, err1 = hub.New(func(s hub.Sink) (hub.Broker, error) { return broker(memory.New(s, memory.Options{})), nil })
	n.members, err2 = presence.New(
		func(s presence.Sink) (presence.Store, error) { return members(memory.NewPresenceStore(s)), nil },
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
	n.backend.outbox = memory.NewOutbox()
	n.events = notify.New(n.backend.outbox, notify.Options{})
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
				n, documents := newTestNode(t, exits, log,
					func(b *memory.Broker) hub.Broker { return brokenBroker{b} },
					func(m *memory.PresenceStore) presence.Store { return brokenMembers{m} },
				)
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

// The end of a node waits for its parts, and holds no lock meanwhile: a configuration that
// starts or hands over does not wait.
func TestEndHoldsNoLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closing := make(chan struct{})
		n, _ := newTestNode(t, true, new(panictest.Log),
			func(b *memory.Broker) hub.Broker { return slowBroker{b, closing} },
			func(m *memory.PresenceStore) presence.Store { return m },
		)
		ended := make(chan error, 1)
		go func() { ended <- n.Destruct() }()
		synctest.Wait()
		if n.mu.TryLock() {
			n.mu.Unlock()
			if err := n.Apply(NewUse()); !errors.Is(err, hub.ErrClosed) {
				t.Errorf("a node that ends answers a configuration with %v", err)
			}
		} else {
			t.Error("the node is locked while a part of it is closed")
		}
		close(closing)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// What is taken from other programs panics when it ends. The hub ends all the same.
func TestPanicInTheChangeOfAnIntake(t *testing.T) {
	log := new(panictest.Log)
	synctest.Test(t, func(t *testing.T) {
		n, _ := newTestNode(t, true, log,
			func(b *memory.Broker) hub.Broker { return b },
			func(m *memory.PresenceStore) presence.Store { return m },
		)
		n.intake.redis, n.intake.changed = new(redis.Intake), make(chan struct{}) // it was not started, and can not end
		close(n.intake.changed)
		if err := n.Destruct(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if got := log.Panics(t, "the change of what is taken from other programs"); len(got) != 1 {
			t.Errorf("panics: %q", got)
		}
	})
}
