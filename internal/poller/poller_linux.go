package poller

import (
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// batch is how many events one system call returns at most.
const batch = 256

// poller is the epoll set of the process.
type poller struct {
	// Static.
	fd       int // of the epoll set; never closed
	raw      syscall.RawConn
	readable func(uintptr) (done bool) // collects events; made once

	// Owned by the worker that waits for events, see crew.polling.
	events [batch]unix.EpollEvent
	found  []arrival
	brief  []*watch // the connections that can be read

	// Guarded by mu.
	mu    sync.Mutex
	table []entry
	free  int32 // the first of the free entries, counted from 1; 0: none

	crew  crew
	sweep sweep
}

// entry is a place for a watch. Events name it together with its generation.
type entry struct {
	watch      *watch // nil: free
	generation int32
	next       int32 // the next free entry, counted from 1
}

// arrival is an event of a connection that is still there.
type arrival struct {
	watch *watch
	mask  uint32
}

// shared returns the poller of the process. It starts the poller when it is first called.
var shared = sync.OnceValues(newPoller)

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	// os.NewFile registers only what does not block with the poller of the runtime.
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	file := os.NewFile(uintptr(fd), "epoll")
	raw, err := file.SyscallConn()
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	p := newCrew(fd, raw)
	p.hire(1)
	return p, nil
}

// newCrew returns a poller without workers.
func newCrew(fd int, raw syscall.RawConn) *poller {
	p := &poller{fd: fd, raw: raw}
	p.readable = func(uintptr) bool { return p.collect() }
	p.crew.watchdog = time.AfterFunc(time.Hour, p.check)
	p.crew.watchdog.Stop() // until arm
	return p
}

// collect hands out the events that are there. If it returns false, the runtime calls it again
// when there are more.
func (p *poller) collect() bool {
	for {
		n, err := unix.EpollWait(p.fd, p.events[:], 0)
		if err == unix.EINTR {
			continue
		}
		if n <= 0 {
			return len(p.brief) > 0
		}
		p.find(p.events[:n])
		for i, a := range p.found {
			if a.watch.arrived(a.mask) {
				p.brief = append(p.brief, a.watch)
			}
			p.found[i] = arrival{}
		}
		if n < batch || len(p.brief) > 0 {
			return len(p.brief) > 0
		}
	}
}

// find looks up whose events these are, and leaves out those of connections that are gone.
func (p *poller) find(events []unix.EpollEvent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.found = p.found[:0]
	for _, ev := range events {
		if e := &p.table[ev.Fd]; e.watch != nil && e.generation == ev.Pad {
			p.found = append(p.found, arrival{e.watch, ev.Events})
		}
	}
}

// add gives w an entry. The result is what its events carry.
func (p *poller) add(w *watch) (name unix.EpollEvent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.free - 1
	if at >= 0 {
		p.free = p.table[at].next
	} else {
		at = int32(len(p.table))
		p.table = append(p.table, entry{})
	}
	p.table[at].watch = w
	return unix.EpollEvent{Fd: at, Pad: p.table[at].generation}
}

// remove frees the entry of a watch.
func (p *poller) remove(at int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := &p.table[at]
	*e = entry{generation: e.generation + 1, next: p.free}
	p.free = at + 1
}
