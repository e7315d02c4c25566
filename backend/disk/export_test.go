package disk

import (
	"testing"
	"time"
)

// Eagerly returns options for a store that is compacted all the time. Each copy is compared with
// its file.
func Eagerly(t *testing.T, o Options) Options {
	eager, _ := eagerly(t, o.Dir)
	eager.Hub, eager.sweep = o.Hub, 50*time.Millisecond
	return eager
}
