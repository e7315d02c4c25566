//go:build unix

package policy

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// No schema and content cost more than the budget: some tenths of a second, many times
// that with the race detector, and some megabytes. The time is that of the processors, so
// that nothing else may run in this process meanwhile.
func TestSchemaBudget(t *testing.T) {
	for name, test := range costly {
		r := checked(t, Room{Schema: schema(t, test.schema)})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := processorTime()
		_, e := r.Check([]byte(test.content))
		took := processorTime() - start
		runtime.ReadMemStats(&after)
		allocated := after.TotalAlloc - before.TotalAlloc
		t.Logf("%s: %v, %d MB in all, %v", name, took.Round(time.Millisecond), allocated>>20, e)
		if e == nil || code(e) != protocol.TooLarge && !strings.Contains(e.Message, "too many ways") {
			t.Errorf("%s: %v", name, e)
		}
		if took > 5*time.Second || allocated > 256<<20 {
			t.Errorf("%s: it took %v of the processors and %d MB", name, took, allocated>>20)
		}
		if as := r.CheckDocument([]byte(test.content)); as == nil || as.Error() != e.Error() {
			t.Errorf("%s: %v, and as a document %v", name, e, as)
		}
	}
}
