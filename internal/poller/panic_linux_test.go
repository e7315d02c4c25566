package poller

import (
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
)

// brokenRaw panics once; afterwards there is nothing to wait for.
type brokenRaw struct {
	syscall.RawConn
	calls *int
}

func (r brokenRaw) Read(func(uintptr) bool) error {
	if *r.calls++; *r.calls == 1 {
		panic("wait")
	}
	return net.ErrClosed
}

func TestPanicInThePoller(t *testing.T) {
	log := panictest.Default(t)
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		p := newCrew(-1, brokenRaw{calls: &calls})
		p.work(new(worker))
		p.crew.watchdog.Stop()
		if calls != 2 {
			t.Errorf("waited %d times", calls)
		}
		log.Once(t, "the poller", "wait")
	})
}

type brokenHandler struct{}

func (brokenHandler) Readable() { panic("readable") }

func TestPanicInAHandler(t *testing.T) {
	log := panictest.Default(t)
	synctest.Test(t, func(t *testing.T) {
		w := &watch{handler: brokenHandler{}, more: true}
		go w.run(nil)
		synctest.Wait()
		log.Once(t, "a connection that can be read", "readable")
	})
}

func TestPanicOfAWriter(t *testing.T) {
	log := panictest.Default(t)
	synctest.Test(t, func(t *testing.T) {
		go call(func(error) { panic("writable") }, nil)
		synctest.Wait()
		log.Once(t, "a connection that can be written", "writable")
	})
}

func TestPanicOfTheWatchdog(t *testing.T) {
	log := panictest.Default(t)
	p := newCrew(-1, nil)
	defer p.crew.watchdog.Stop()
	p.crew.workers = append(p.crew.workers, nil)
	p.check()
	log.Once(t, "the watchdog of the poller", "runtime error: invalid memory address or nil pointer dereference")
}

type brokenExpirer struct{}

func (brokenExpirer) expire(bool) { panic("expire") }

func TestPanicInADeadline(t *testing.T) {
	log := panictest.Default(t)
	synctest.Test(t, func(t *testing.T) {
		s := new(sweep)
		s.set(key{brokenExpirer{}, true}, now()+time.Second)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		log.Once(t, "deadlines of connections", "expire")
	})
}
