package backendtest

import (
	"crypto/rand"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/document"
)

// documentContract lists the tests of a document store. What they hold it to beyond
// the comments of the interface:
//
//   - A document has an epoch before anybody changes it, and all nodes see the same.
//   - Snapshots and patches come back byte by byte, whatever they are and however many.
//   - Keys may be of any bytes.
//   - A late commit gets the record that Load would return, to try again with.
//   - A call whose context was over at its start changes nothing, and its error
//     wraps that of the context.
var documentContract = []struct {
	name string
	test func(*documentEnv)
}{
	{"DocumentNew", documentNew},
	{"DocumentCommit", documentCommit},
	{"DocumentCompareAndSet", documentCompareAndSet},
	{"DocumentKeys", documentKeys},
	{"DocumentLoadSince", documentLoadSince},
	{"DocumentAnchors", documentAnchors},
	{"DocumentSnapshot", documentSnapshot},
	{"DocumentKeep", documentKeep},
	{"DocumentLarge", documentLarge},
	{"DocumentDelivers", documentDelivers},
	{"DocumentAttachCounts", documentAttachCounts},
	{"DocumentRoomsApart", documentRoomsApart},
	{"DocumentConcurrently", documentConcurrently},
	{"DocumentShare", documentShare},
	{"DocumentMemory", documentMemory},
	{"DocumentTrims", documentTrims},
	{"DocumentForget", documentForget},
	{"DocumentForgetOnly", documentForgetOnly},
	{"DocumentTTL", documentTTL},
	{"DocumentList", documentList},
	{"DocumentCancelled", documentCancelled},
	{"DocumentClose", documentClose},
}

// RunDocument tests one implementation of [document.Store]. newCluster makes a store, empty
// or not, and returns a function that joins it with one more node, which delivers to sink.
// Several goroutines may call both at once. Both clean up with t.Cleanup; the nodes are
// closed before that.
func RunDocument(t *testing.T, newCluster func(t *testing.T) func(sink document.Sink) document.Store) {
	for _, c := range documentContract {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(&documentEnv{t: t, join: newCluster(t), channel: "document:" + rand.Text()})
		})
	}
}
