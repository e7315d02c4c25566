package sse_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// A reader that pauses gets everything afterwards, in order: what a full socket
// did not take is not lost, torn or doubled.
func TestPausedReader(t *testing.T) {
	t.Parallel()
	settings := hub.Settings{QueueMessages: 1 << 20, QueueBytes: 1 << 30, WriteTimeout: time.Minute}
	overEachWay(t, config{settings: settings}, func(t *testing.T, s *site) {
		const messages, size = 1000, 10 << 10 // far more than sockets and windows hold
		st := s.open("channel=plain:1&channel=kept:1&format=content").begin(2)
		fill := strings.Repeat("x", size)
		for i := range messages {
			s.publish([]string{"plain:1", "kept:1"}[i%2], fmt.Sprintf(`"%d %s"`, i, fill))
		}
		last := map[bool]int{false: -1, true: -1}
		for range messages {
			n, text, _ := strings.Cut(st.event("message").data, " ")
			i, err := strconv.Atoi(n)
			if err != nil || text != fill || i <= last[i%2 == 0] {
				t.Fatalf("message %q after %v: %v", n, last, err)
			}
			last[i%2 == 0] = i
		}
	})
}
