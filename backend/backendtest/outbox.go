package backendtest

import (
	"testing"

	"github.com/caddy-realtime/caddy-realtime/notify"
)

// outboxContract lists the tests of [notify.Outbox]. Those of a subject are in the file of its
// name.
var outboxContract = []struct {
	name string
	test func(*outboxEnv)
}{
	{"Records", outboxRecords},
	{"RecordsChosen", outboxRecordsChosen},
	{"RecordsOnce", outboxRecordsOnce},
	{"RecordsInOrder", outboxRecordsInOrder},
	{"Forgets", outboxForgets},

	{"BatchStays", outboxBatchStays},
	{"BatchBounds", outboxBatchBounds},
	{"BatchOfNextSender", outboxBatchOfNextSender},

	{"ClaimExcludes", outboxClaimExcludes},
	{"ClaimEnds", outboxClaimEnds},
	{"ClaimFences", outboxClaimFences},
	{"Wakes", outboxWakes},

	{"SinksApart", outboxSinksApart},
	{"Overflows", outboxOverflows},
	{"OverflowsAtTheEnd", outboxOverflowsAtTheEnd},
	{"GivesUp", outboxGivesUp},
	{"Refused", outboxRefused},
	{"Holds", outboxHolds},
	{"RecordsOfDialects", outboxRecordsOfDialects},
	{"Close", outboxCloses},
}

// sharedContract lists the tests of an outbox that several nodes share.
var sharedContract = []struct {
	name string
	test func(*outboxEnv)
}{
	{"OccupiedOnce", outboxOccupiedOnce},
	{"NodesTakeTurns", outboxNodesTakeTurns},
}

// RunOutbox tests an implementation of [notify.Outbox]. open makes a store of its own for each
// call and returns its outboxes, one for each node. It cleans up with t.Cleanup. The outboxes
// are closed before that.
func RunOutbox(t *testing.T, open func(t *testing.T) []notify.Outbox) {
	tests := outboxContract
	if len(open(t)) > 1 {
		tests = append(tests, sharedContract...)
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := &outboxEnv{T: t, nodes: open(t), fences: make(map[notify.Queue]uint64)}
			e.Outbox = e.nodes[0]
			t.Cleanup(func() {
				for _, o := range e.nodes {
					_ = o.Close()
				}
			})
			c.test(e)
		})
	}
}
