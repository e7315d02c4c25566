package poller

import (
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
	return nil
}

func TestPanicInThePoller(t *testing.T) {
	log := panictest.Default(t)
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		p := &poller{raw: brokenRaw{calls: &calls}}
		p.wait()
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
		go w.run()
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
