package memory

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/presence"
)

// A short grace is longer after a restart, because clients return later. A long one is not, and
// a member without one leaves at once.
func TestGraceAfterARestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewPresenceStore(new(deaf))
		leaves := map[string]time.Duration{"guest": 0, "short": 30 * time.Second, "long": time.Minute}
		saved := make(map[MemberKey]*SavedMember)
		for key, grace := range map[string]time.Duration{"guest": 0, "short": 5 * time.Second, "long": time.Minute} {
			saved[MemberKey{"room", key}] = &SavedMember{Member: &presence.Member{Key: key, Grace: grace}}
		}
		s.Restore(saved, 30*time.Second)
		for now, step := time.Duration(0), time.Second; now <= time.Minute; now += step {
			synctest.Wait()
			for key, at := range leaves {
				if there, err := s.Has(t.Context(), "room", key, presence.Either); err != nil || there != (now < at) {
					t.Fatalf("after %v the member %s is there: %v, %v", now, key, there, err)
				}
			}
			time.Sleep(step)
		}
	})
}
