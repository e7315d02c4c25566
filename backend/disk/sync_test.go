package disk

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Changes that come within the time of Sync share a transaction, also while the disk is idle.
func TestSync(t *testing.T) {
	t.Parallel()
	s, b := open(t, Options{Dir: t.TempDir(), Sync: time.Second})
	last := func() (id int) {
		if err := s.file.view(func(tx *bbolt.Tx) error { id = tx.ID(); return nil }); err != nil {
			t.Fatal(err)
		}
		return id
	}
	before := last()
	var all sync.WaitGroup
	for i := range 5 {
		all.Go(func() {
			if _, err := b.Publish(t.Context(), message("room", strconv.Itoa(i)), hub.PublishOptions{Retention: hub.Retention{Size: 10}}); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(time.Millisecond) // without Sync each of them has its own transaction, or nearly
	}
	all.Wait()
	if n := last() - before; n != 1 {
		t.Errorf("five changes within the time took %d transactions", n)
	}
}
