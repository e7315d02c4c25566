package attacks

import (
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// attackLimits take more of something than one client may have.
func attackLimits(w *world) []attack {
	connections := sized(3000, 10_000)
	return []attack{
		{thousands(connections) + " connections from one address, of 100", "100 served, the rest refused with Retry-After; others and the 100 are served on", func(t *testing.T) string {
			// A connection costs net/http about 24 KiB, also when it was refused.
			memory := int64(connections) * (40 << 10)
			w.gauge.allow(bounds{peak: memory, kept: memory, cpu: time.Duration(connections) * time.Millisecond})
			return crowd(t, w.crowd, connections, 100)
		}},
		{"handshakes of an address that has all it may have", "others are let in", func(t *testing.T) string { return rush(t, w.rush) }},
		{"10,000 subscriptions on one connection", "100 subscribed, the rest LIMIT_EXCEEDED, the connection lives", func(t *testing.T) string {
			return subscribeAll(t, w.site, 10_000)
		}},
		{"a stream of 800 channels", "429 LIMIT_EXCEEDED", func(t *testing.T) string { return manyChannels(t, w.site, 800) }},
		{"a stream of 60,000 channels", "431", func(t *testing.T) string { return manyChannels(t, w.site, 60_000) }},
		{"10 members fill a room that takes 20 messages", "20 delivered, the rest RATE_LIMITED with retryAfter; the members live on, and the app is not bounded", func(t *testing.T) string {
			return fillRoom(t, w.site, 10, 20)
		}},
		{"tokens tried out", "closed 1008", func(t *testing.T) string {
			c := w.tokens.connect(t)
			go func() { // the end comes before all are sent
				for range 100 {
					_, _ = c.conn.Write(frame(headText, `{"type":"authenticate","payload":{"token":"guess"}}`))
				}
			}()
			return c.fate()
		}},
	}
}

// crowd opens so many sockets as the process may have, holds them, and asks for a
// WebSocket on each.
func crowd(t *testing.T, s target, want, limit int) string {
	n := min(want, sockets())
	conns := make([]net.Conn, n)
	defer func() {
		for _, conn := range conns {
			if conn != nil {
				_ = conn.Close()
			}
		}
	}()
	var mu sync.Mutex
	fates := make(map[string]int)
	var served []*client
	var all sync.WaitGroup
	for first := range 16 {
		all.Go(func() {
			for i := first; i < n; i += 16 {
				c, fate := s.knock(&conns[i])
				mu.Lock()
				if fates[fate]++; fate == "served" {
					served = append(served, c)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	refused := fates["429 LIMIT_EXCEEDED, Retry-After"] + fates["closed with 1013"]
	if len(served) != limit || refused != n-limit {
		return fmt.Sprint(fates)
	}
	for _, c := range served {
		if !c.lives(t) {
			return "one of the 100 does not answer any more"
		}
	}
	if a := s.send(t, request{"GET", "/rt", handshake("X-Forwarded-For: 203.0.113.9", "X-Real-Ip: 203.0.113.9", "Forwarded: for=203.0.113.9"), ""}); a.status != 429 {
		return "one that says it comes from elsewhere is answered with " + a.String()
	}
	if fate := s.neighbour(t); fate != "served" {
		return "another address is " + fate
	}
	return fmt.Sprintf("%d served, the rest refused with Retry-After; others and the %d are served on (%d sockets at once, %d of them refused after the handshake)",
		limit, limit, n, fates["closed with 1013"])
}

// sockets is how many connections this process, and so the server, may hold.
func sockets() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 100
	}
	return max(0, int(min(l.Cur, 1<<20))-400)
}

// knock asks for a WebSocket on a new connection and says what comes of it.
func (s target) knock(conn *net.Conn) (*client, string) {
	d := net.Dialer{Timeout: patience}
	return s.knockFrom(&d, conn)
}

func (s target) knockFrom(d *net.Dialer, conn *net.Conn) (*client, string) {
	var err error
	if *conn, err = d.Dial("tcp", string(s)); err != nil {
		return nil, err.Error()
	}
	_ = (*conn).SetDeadline(time.Now().Add(2 * patience))
	c := newClient(*conn)
	a, err := c.shake(string(s), nil)
	switch {
	case err != nil:
		return nil, err.Error()
	case a.status != 101:
		if wait, _ := strconv.Atoi(a.header.Get("Retry-After")); wait < 5 || wait > 30 {
			return nil, fmt.Sprintf("%v, Retry-After %q", a, a.header.Get("Retry-After"))
		}
		return nil, a.String() + ", Retry-After"
	}
	if _, err = c.next(); err != nil { // it was the last one but came too late
		return nil, err.Error()
	}
	_ = (*conn).SetDeadline(time.Time{}) // it may be held for long
	return c, "served"
}

// neighbour connects from another address.
func (s target) neighbour(t *testing.T) string {
	var conn net.Conn
	d := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	_, fate := s.knockFrom(&d, &conn)
	if conn != nil {
		_ = conn.Close()
	}
	return fate
}

// rush goes on knocking where the limit of the address is 3 connections, and that of
// all together 5 handshakes each second.
func rush(t *testing.T, s target) string {
	for range 3 {
		s.connect(t)
	}
	const handshakes, abreast = 200, 20
	answers := make([]answer, handshakes)
	var all sync.WaitGroup
	for first := range abreast {
		all.Go(func() {
			for i := first; i < handshakes; i += abreast {
				answers[i] = s.send(t, request{"GET", "/rt", handshake(), ""})
			}
		})
	}
	all.Wait()
	for _, a := range answers {
		if a.String() != "429 LIMIT_EXCEEDED" {
			return a.String()
		}
	}
	if fate := s.neighbour(t); fate != "served" {
		return "another address is answered with " + fate
	}
	return "others are let in"
}

// fillRoom has members send ten messages each, into a room that takes so many of them
// all together, and one more each second.
func fillRoom(t *testing.T, s target, members, most int) string {
	const each, command = 10, `{"type":"message","id":1,"payload":{"channel":"full:1","content":1}}`
	begin, got := time.Now(), make(map[string]int)
	var all []*client
	for range members {
		c := s.connect(t)
		for range each {
			c.say(t, command)
		}
		all = append(all, c)
	}
	for _, c := range all {
		for range each {
			ev, err := c.next()
			if err != nil {
				return err.Error()
			}
			if ev.Type == "error" && ev.Payload.RetryAfter < 1 {
				return fmt.Sprintf("%+v", ev)
			}
			got[ev.outcome()]++
		}
		if !c.lives(t) {
			return "a member does not live on"
		}
	}
	late := int(time.Since(begin).Seconds())
	if n := got["ack"]; n < most || n > most+late || n+got["RATE_LIMITED"] != members*each {
		return fmt.Sprint(got)
	}
	if a := s.send(t, post("full:1", `{"content":1}`, jsonType, bearer(appKey))); a.status != 200 {
		return "the app is answered with " + a.String()
	}
	return fmt.Sprintf("%d delivered, the rest RATE_LIMITED with retryAfter; the members live on, and the app is not bounded (%v)", most, got)
}

// subscribeAll subscribes to one channel after the other.
func subscribeAll(t *testing.T, s target, n int) string {
	c := s.connect(t)
	go func() {
		var b strings.Builder
		for i := range n {
			b.Write(frame(headText, fmt.Sprintf(`{"type":"subscribe","payload":{"channel":"open:s%d"}}`, i)))
		}
		_, _ = c.conn.Write([]byte(b.String()))
	}()
	got := make(map[string]int)
	for range n {
		ev, err := c.next()
		if err != nil {
			return fmt.Sprint(got, err)
		}
		got[ev.outcome()]++
	}
	if got["subscribed"] != 100 || got["LIMIT_EXCEEDED"] != n-100 || !c.lives(t) {
		return fmt.Sprint(got)
	}
	return "100 subscribed, the rest LIMIT_EXCEEDED, the connection lives"
}

// manyChannels asks for a stream of more channels than a connection may have.
func manyChannels(t *testing.T, s target, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "&channel=open:%d", i)
	}
	begin := time.Now()
	a := s.send(t, request{"GET", "/rt/sse?" + b.String()[1:], nil, ""})
	return fmt.Sprintf("%v (after %v)", a, time.Since(begin).Round(time.Millisecond))
}

// channels is how many channels have connections.
func (s target) channels(t *testing.T) int {
	t.Helper()
	a := s.send(t, request{"GET", "/rt/channels?limit=1000", []string{bearer(appKey)}, ""})
	var list struct{ Channels []struct{ Channel string } }
	if err := json.Unmarshal([]byte(a.body), &list); err != nil {
		t.Fatal(err, a.body)
	}
	return len(list.Channels)
}
