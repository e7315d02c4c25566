package disk_test

import (
	"testing"

	"github.com/caddy-realtime/caddy-realtime/backend/backendtest"
	"github.com/caddy-realtime/caddy-realtime/backend/disk"
	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/leak"
	"github.com/caddy-realtime/caddy-realtime/notify"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

func TestMain(m *testing.M) { leak.Main(m) }

// openTemp opens a store that ends with the test.
func openTemp(t *testing.T, change func(*testing.T, disk.Options) disk.Options) *disk.Store {
	t.Helper()
	s, err := disk.Open(change(t, disk.Options{Dir: t.TempDir(), Hub: "default"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestContract(t *testing.T) {
	t.Parallel()
	contract(t, plain)
}

func plain(_ *testing.T, o disk.Options) disk.Options { return o }

// The contract holds while the file is compacted all the time.
func TestContractBesideCompaction(t *testing.T) {
	t.Parallel()
	contract(t, disk.Eagerly)
}

func contract(t *testing.T, change func(*testing.T, disk.Options) disk.Options) {
	backendtest.RunBroker(t, func(t *testing.T, sink hub.Sink) hub.Broker {
		s := openTemp(t, change)
		b, err := s.Broker(sink, memory.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return b
	})
}

func TestDocumentContract(t *testing.T) {
	t.Parallel()
	backendtest.RunDocument(t, func(t *testing.T) func(document.Sink) document.Store {
		first, err := openTemp(t, disk.Eagerly).Documents(unread{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return func(sink document.Sink) document.Store { return first.Join(sink) }
	})
}

// unread is a sink that does nothing.
type unread struct{}

func (unread) Changed(string, string, ...document.Entry) {}
func (unread) Missed(string)                             {}

func TestOutboxContract(t *testing.T) {
	t.Parallel()
	backendtest.RunOutbox(t, func(t *testing.T) []notify.Outbox { return []notify.Outbox{openBox(t)} })
}

func openBox(t *testing.T) *memory.Outbox {
	box, err := openTemp(t, disk.Eagerly).Outbox()
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func TestPresenceContract(t *testing.T) {
	t.Parallel()
	backendtest.RunPresence(t, func(t *testing.T) func(presence.Sink) presence.Store {
		s := openTemp(t, disk.Eagerly)
		if _, err := s.Outbox(); err != nil {
			t.Fatal(err)
		}
		first := s.Presence(unseen{})
		t.Cleanup(func() { _ = first.Close() })
		return func(sink presence.Sink) presence.Store { return first.Join(sink) }
	})
}

// unseen is a sink that does nothing.
type unseen struct{}

func (unseen) Changed(string, ...presence.Event) {}
func (unseen) Missed(string)                     {}
