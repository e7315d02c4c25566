package simulate

import (
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/session"
)

const (
	// window is how many bytes the network takes for a client that does not read.
	window = 1024
	// writeTimeout bounds a write, as a transport has to.
	writeTimeout = 10 * time.Second
)

var errBroken = errors.New("simulate: the connection is over")

// link is one connection of a client through the network. It delays both directions.
type link struct {
	client *client

	shut chan struct{} // closed when the server's side is over: writes and the reader end
	over chan struct{} // closed when nothing arrives any more
	down chan struct{} // gets a value when the client may read
	up   chan struct{} // gets a value when the server may read

	mu sync.Mutex
	// Guarded by mu.
	rand    *rand.Rand
	toward  []byte   // to the client
	frames  [][]byte // to the server
	stalled bool     // the client does not read
	muted   bool     // nothing passes any more, and nobody knows it
	isShut  bool
	isOver  bool
	space   chan struct{} // closed and replaced when there is space in toward
}

func newLink(c *client, seed uint64) *link {
	return &link{
		client: c, rand: rand.New(rand.NewPCG(seed, 2)),
		shut: make(chan struct{}), over: make(chan struct{}), space: make(chan struct{}),
		down: make(chan struct{}, 1), up: make(chan struct{}, 1),
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// put takes as much as there is space for.
func (l *link) put(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isShut {
		return 0, errBroken
	}
	n := min(len(p), window-len(l.toward))
	l.toward = append(l.toward, p[:n]...)
	poke(l.down)
	return n, nil
}

// hasSpace returns what is closed when there is more space; nil if there is some now.
func (l *link) hasSpace() chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.toward) < window {
		return nil
	}
	return l.space
}

// await waits for space.
func (l *link) await(within time.Duration) error {
	space := l.hasSpace()
	if space == nil {
		return nil
	}
	limit := time.NewTimer(within)
	defer limit.Stop()
	select {
	case <-space:
		return nil
	case <-l.shut:
		return errBroken
	case <-limit.C:
		return errBroken
	}
}

// arrives reports whether the client reads something, or learns of the end.
func (l *link) arrives() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.isOver || l.muted && l.isShut || !l.stalled && !l.muted && (l.isShut || len(l.toward) > 0)
}

// take returns what the client reads next. It reports whether the link goes on.
func (l *link) take() (p []byte, on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.isOver, l.muted && l.isShut:
		return nil, false
	case l.stalled, l.muted:
		return nil, true
	case len(l.toward) == 0:
		return nil, !l.isShut
	}
	n := len(l.toward)
	if l.rand.IntN(4) == 0 {
		n = 1 + l.rand.IntN(n)
	}
	p = append(p, l.toward[:n]...)
	l.toward = l.toward[n:]
	close(l.space)
	l.space = make(chan struct{})
	return p, true
}

// latency draws the delay of one hop.
func (l *link) latency() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rand.IntN(3) == 0 {
		return 0
	}
	return time.Duration(l.rand.IntN(20000)) * time.Microsecond
}

// delay waits for the latency, or until the link is over.
func (l *link) delay(end chan struct{}) bool {
	d := l.latency()
	if d == 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-end:
		return false
	}
}

// carry brings bytes to the client. It is a goroutine.
func (l *link) carry() {
	for {
		select {
		case <-l.down:
		case <-l.over:
			return
		}
		for l.arrives() {
			if !l.delay(l.over) {
				return
			}
			p, on := l.take()
			if !on {
				l.client.lost(l)
				l.cut()
				return
			}
			l.client.feed(l, p)
		}
	}
}

// serve is the server's reader. It is a goroutine.
func (l *link) serve(s *session.Session) {
	defer s.Conn().Close(hub.ReasonLost)
	for {
		select {
		case <-l.up:
		case <-l.shut:
			return
		}
		for {
			f := l.next()
			if f == nil {
				break
			}
			if !l.delay(l.shut) {
				return
			}
			if string(f) == "pong" {
				s.Conn().Heard()
				continue
			}
			s.Receive(f, false)
		}
	}
}

// next returns the next frame of the client.
func (l *link) next() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.frames) == 0 || l.muted || l.isShut {
		return nil
	}
	f := l.frames[0]
	l.frames = l.frames[1:]
	return f
}

// send hands a frame of the client to the network.
func (l *link) send(frame []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frames = append(l.frames, frame)
	poke(l.up)
}

// stall stops or starts the reading of the client.
func (l *link) stall(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stalled = on
	poke(l.down)
}

// mute lets nothing pass any more.
func (l *link) mute() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.muted = true
	poke(l.down)
}

// close ends the server's side. What was written still arrives.
func (l *link) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.endServer()
	poke(l.down)
}

func (l *link) endServer() {
	if !l.isShut {
		l.isShut = true
		close(l.shut)
	}
}

// cut ends both sides at once. What is on its way is lost.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.endServer()
	if !l.isOver {
		l.isOver = true
		close(l.over)
	}
}

// plain is the simplest transport: each write may block.
type plain struct{ *link }

func (t plain) Write(p []byte) error {
	for {
		n, err := t.put(p)
		if p = p[n:]; err != nil || len(p) == 0 {
			return err
		}
		if err := t.await(writeTimeout); err != nil {
			return err
		}
	}
}

func (t plain) Close() { t.close() }

// trying can also write without waiting.
type trying struct{ plain }

func (t trying) TryWrite(p []byte) (int, error) { return t.put(p) }

// waiting can also wait for space without a goroutine of the hub.
type waiting struct{ trying }

func (t waiting) WhenWritable(within time.Duration, f func(error)) {
	go func() { f(t.await(within)) }()
}

// transport returns one of the kinds of transports for a link.
func (l *link) transport(kind int) hub.Transport {
	switch kind % 3 {
	case 0:
		return plain{l}
	case 1:
		return trying{plain{l}}
	}
	return waiting{trying{plain{l}}}
}
