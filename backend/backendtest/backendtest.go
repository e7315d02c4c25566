// Package backendtest is the contract of [hub.Broker] as tests, run by every
// implementation.
//
// The tests do not assume that a broker is quick: what was published may reach the
// sink after Publish returned, and is waited for. They do not assume an empty store
// either, because every test makes up its own channels. To show that something is
// not delivered they publish a further message and wait for that one, since a
// room's messages come in order.
//
// What the contract says beyond the comments of the interface:
//
//   - An Attach that returned an error is not counted; no Detach belongs to it.
//   - Detach may be called from within Sink.Broadcast.
//   - A repeat (by key) leaves its message untouched, and its position is the
//     whole position of the first, anchor included.
//   - A message with the key of another one is rejected, as long as the first is in the
//     log or the room has none; it is left untouched as well. Sender and time may differ
//     between a message and its repeat, which may come over another connection.
//   - Keys may be forgotten before their time to bound what is kept, and only the older
//     ones of a room. They cost no room its messages.
//   - The bounds that count are those of the call: a page never holds more than
//     the Size it was asked with, whatever the store still has.
//   - A publish with Size 0 ends a room's log. Nobody continues an old position
//     over it, because messages without positions lie in between.
//   - A room's epoch and offset outlive its messages and its attachments.
//   - A call whose context was over before it began changes nothing, and its error
//     wraps that of the context.
package backendtest

import (
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// patience is how long a message may take to arrive before it counts as lost. It
// is long because only a failing test waits for all of it.
var patience = 20 * time.Second

// contract lists the tests; those of a subject are in the file of its name.
var contract = []struct {
	name string
	test func(*env)
}{
	{"PublishDelivers", publishDelivers},
	{"PublishKeepsContent", publishKeepsContent},
	{"PublishOrder", publishOrder},
	{"PublishConcurrently", publishConcurrently},
	{"PublishRoomsApart", publishRoomsApart},
	{"PublishUnattached", publishUnattached},
	{"PublishCancelled", publishCancelled},

	{"HistoryNewest", historyNewest},
	{"HistorySince", historySince},
	{"HistoryPages", historyPages},
	{"HistoryPurged", historyPurged},
	{"HistoryRedacted", historyRedacted},
	{"HistoryTrimmed", historyTrimmed},
	{"HistoryOtherEpoch", historyOtherEpoch},
	{"HistoryAhead", historyAhead},
	{"HistoryAnchor", historyAnchor},
	{"HistoryEmpty", historyEmpty},
	{"HistoryUnpublished", historyUnpublished},
	{"HistoryCancelled", historyCancelled},
	{"HistoryWhilePublishing", historyWhilePublishing},

	{"KeyRepeats", keyRepeats},
	{"KeyConcurrently", keyConcurrently},
	{"KeyOfChannel", keyOfChannel},
	{"KeyEphemeral", keyEphemeral},
	{"KeyReused", keyReused},
	{"KeyOfAnotherRetention", keyOfAnotherRetention},
	{"KeyMany", keyMany},
	{"KeyCancelled", keyCancelled},

	{"RetentionShrinks", retentionShrinks},
	{"RetentionEnds", retentionEnds},
	{"RetentionTTL", retentionTTL},

	{"AttachDelivers", attachDelivers},
	{"AttachEpoch", attachEpoch},
	{"AttachCounts", attachCounts},
	{"AttachLate", attachLate},
	{"AttachAgain", attachAgain},
	{"AttachCancelled", attachCancelled},
	{"AttachConcurrently", attachConcurrently},
	{"AttachWhilePublishing", attachWhilePublishing},
	{"DetachInBroadcast", detachInBroadcast},

	{"EphemeralDelivers", ephemeralDelivers},
	{"EphemeralConcurrently", ephemeralConcurrently},
	{"EphemeralHistory", ephemeralHistory},

	{"DirectDelivers", directDelivers},
	{"DirectPassesByTheLog", directPassesByTheLog},
	{"DirectKey", directKey},
	{"DirectCancelled", directCancelled},

	{"VolatileDelivers", volatileDelivers},
	{"VolatilePassesByTheLog", volatilePassesByTheLog},

	{"FeedDelivers", feedDelivers},
	{"FeedLeavesOut", feedLeavesOut},

	{"Close", closeEnds},
	{"CloseWhilePublishing", closeWhilePublishing},
}

// RunBroker tests one implementation of [hub.Broker]. newBroker makes a broker that
// delivers to sink. It is called at least once for each subtest, by several goroutines at
// once, and cleans up with t.Cleanup. The brokers are closed before that.
func RunBroker(t *testing.T, newBroker func(t *testing.T, sink hub.Sink) hub.Broker) {
	for _, c := range contract {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sink := newRecorder()
			e := &env{t: t, b: newBroker(t, sink), sink: sink}
			t.Cleanup(func() {
				e.b.Close()
				sink.check(t)
			})
			c.test(e)
		})
	}
}
