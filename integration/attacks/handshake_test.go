package attacks

import (
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"
)

// attackHandshakes hold sockets without ever finishing, and guess connections.
func attackHandshakes(w *world) []attack {
	return []attack{
		{"500 sockets send a byte each second", "all 50 others are served meanwhile", func(t *testing.T) string {
			return trickle(t, w.site, 500, 50)
		}},
		{"ids of connections", "all random, none twice", func(t *testing.T) string { return guessIDs(t, w.site) }},
	}
}

// trickle opens slow sockets, and meanwhile does handshakes as everybody does. A slow
// one takes minutes, so that whoever had to wait for one would run out of patience.
func trickle(t *testing.T, s target, slow, healthy int) string {
	stop := make(chan struct{})
	var all sync.WaitGroup
	defer all.Wait()
	defer close(stop)
	for range slow {
		conn, err := net.Dial("tcp", string(s))
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() { drip(conn, request{"GET", "/rt", handshake(), ""}.text(string(s)), stop) })
	}
	var times []time.Duration
	pace := time.NewTicker(50 * time.Millisecond) // over more than two of their bytes
	defer pace.Stop()
	for range healthy {
		<-pace.C
		begin := time.Now()
		c := s.connect(t)
		if !c.lives(t) {
			return "a connection does not answer"
		}
		times = append(times, time.Since(begin))
		_ = c.conn.Close()
	}
	slices.Sort(times)
	return fmt.Sprintf("all %d others are served meanwhile (median %v, slowest %v)", healthy,
		times[healthy/2].Round(time.Millisecond), times[healthy-1].Round(time.Millisecond))
}

// drip sends a byte each second.
func drip(conn net.Conn, text string, stop <-chan struct{}) {
	defer conn.Close()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for i := range len(text) {
		if _, err := io.WriteString(conn, text[i:i+1]); err != nil {
			return
		}
		select {
		case <-second.C:
		case <-stop:
			return
		}
	}
}

var random = regexp.MustCompile(`^[a-z2-7]{16,}$`)

// guessIDs looks at the ids of some connections: each place has to hold many
// letters, which a counter, a clock or a short prefix would not.
func guessIDs(t *testing.T, s target) string {
	const n = 200
	seen := make(map[string]bool)
	var places [16]map[byte]bool
	for range n {
		c := s.connect(t)
		_ = c.conn.Close()
		if !random.MatchString(c.id) {
			return fmt.Sprintf("an id is %q", c.id)
		}
		seen[c.id] = true
		for i := range places {
			if places[i] == nil {
				places[i] = make(map[byte]bool)
			}
			places[i][c.id[i]] = true
		}
	}
	for i, letters := range places {
		if len(letters) < 20 {
			return fmt.Sprintf("place %d holds only %d letters", i, len(letters))
		}
	}
	if len(seen) != n {
		return fmt.Sprintf("%d different ones of %d", len(seen), n)
	}
	return fmt.Sprintf("all random, none twice (%d ids)", n)
}
