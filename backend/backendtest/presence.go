package backendtest

import (
	"crypto/rand"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/presence"
)

// presenceContract lists the tests of a presence store. What they hold it to beyond
// the comments of the interface:
//
//   - A node is notified of the events that it causes itself, too.
//   - A call whose context was over at its start changes nothing, and its error
//     wraps that of the context.
//   - A member that changed while nobody was attached is listed as it is now.
//   - A node that was closed has left everything, if not at once: a store may take
//     as long as it does to notice that a node has crashed.
var presenceContract = []struct {
	name string
	test func(*presenceEnv)
}{
	{"PresenceEnter", presenceEnter},
	{"PresenceUpdate", presenceUpdate},
	{"PresenceLeave", presenceLeave},
	{"PresenceRoomsApart", presenceRoomsApart},
	{"PresenceCancelled", presenceCancelled},

	{"PresenceTwoNodes", presenceTwoNodes},
	{"PresenceStatus", presenceStatus},
	{"PresenceInfo", presenceInfo},
	{"PresenceConcurrently", presenceConcurrently},

	{"PresenceList", presenceList},
	{"PresencePages", presencePages},
	{"PresenceManyAtOnce", presenceManyAtOnce},
	{"PresenceListWithoutAttach", presenceListWithoutAttach},

	{"PresenceHas", presenceHas},
	{"PresenceOwner", presenceOwner},

	{"PresenceOffline", presenceOffline},
	{"PresenceNotRemembered", presenceNotRemembered},
	{"PresenceBack", presenceBack},
	{"PresenceForgotten", presenceForgotten},
	{"PresenceForget", presenceForget},

	{"PresenceAttach", presenceAttach},
	{"PresenceDetach", presenceDetach},
	{"PresenceClose", presenceClose},
}

// RunPresence tests one implementation of [presence.Store]. newCluster makes a store, empty
// or not, and returns a function that joins it with one more node, which delivers to sink.
// Several goroutines may call both at once. Both clean up with t.Cleanup; the nodes are
// closed before that.
func RunPresence(t *testing.T, newCluster func(t *testing.T) func(sink presence.Sink) presence.Store) {
	for _, c := range presenceContract {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(&presenceEnv{t: t, join: newCluster(t), channel: "presence:" + rand.Text()})
		})
	}
}

// presenceEnv is what a test works with: a room of its own, and nodes.
type presenceEnv struct {
	t       *testing.T
	join    func(sink presence.Sink) presence.Store
	channel string
}

// presenceNode is one node, for one room.
type presenceNode struct {
	presence.Store
	*presenceRecorder
	e *presenceEnv
}

// node joins a node that is not attached yet.
func (e *presenceEnv) node() *presenceNode {
	n := &presenceNode{presenceRecorder: newPresenceRecorder(e.channel), e: e}
	n.Store = e.join(n.presenceRecorder)
	e.t.Cleanup(func() {
		n.Store.Close()
		n.check(e.t)
	})
	return n
}

// attached joins a node that gets the events of the room.
func (e *presenceEnv) attached() *presenceNode {
	e.t.Helper()
	n := e.node()
	n.must(n.Attach(e.t.Context(), e.channel))
	return n
}

func (n *presenceNode) must(err error) {
	n.e.t.Helper()
	if err != nil {
		n.e.t.Fatal(err)
	}
}

// enter enters members that show nothing but their keys.
func (n *presenceNode) enter(keys ...string) {
	n.e.t.Helper()
	ms := make([]*presence.Member, 0, len(keys))
	for _, key := range keys {
		ms = append(ms, &presence.Member{Key: key})
	}
	n.show(ms...)
}

func (n *presenceNode) show(ms ...*presence.Member) {
	n.e.t.Helper()
	n.must(n.Enter(n.e.t.Context(), n.e.channel, ms))
}

func (n *presenceNode) leave(keys ...string) {
	n.e.t.Helper()
	ds := make([]presence.Departure, 0, len(keys))
	for _, key := range keys {
		ds = append(ds, presence.Departure{Key: key})
	}
	n.must(n.Leave(n.e.t.Context(), n.e.channel, ds))
}

func (n *presenceNode) list(q presence.Query) presence.Page {
	n.e.t.Helper()
	page, err := n.List(n.e.t.Context(), n.e.channel, q)
	n.must(err)
	return page
}
