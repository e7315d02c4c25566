package session

import (
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Times and sizes that nothing else depends on exactly. A change of one is a decision, and a slip of the pen is not.
func TestTimesAndSizes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ got, want time.Duration }{
		"how long a token may take to verify":          {verifyTimeout, 5 * time.Second},
		"how long a kick is kept":                      {keepKicks, 10 * time.Minute},
		"after how long to ask for members again":      {snapshotWait, 200 * time.Millisecond},
		"how long a large room's count is not renewed": {largePause, 5 * time.Second},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	if 2*maxAnswer != hub.MaxReply {
		t.Errorf("an answer has %d bytes of the %d of a reply", maxAnswer, hub.MaxReply)
	}
}
