package simulate

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/dialect/native"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// world is one run of a history.
type world struct {
	seed    uint64
	history history
	base    string // the folder of all files
	checker *checker.Checker
	oracle  *oracle
	faults  *faults
	log     *slog.Logger
	clients []*client
	eye     *client // comes at the end and sees what is there

	// Owned by the goroutine of the run.
	dir     string // of the file; empty: in memory
	copies  int
	variant int

	node atomic.Pointer[node] // nil while it is down
}

// result is what came out of a run.
type result struct {
	faults []string
	report *checker.Report
	// What happened, so that a reader sees that something did.
	crashes, slow, losses, repeats, accepted, rejected int
}

func (r *result) ok() bool { return len(r.faults) == 0 }

// play runs a history in a bubble and returns what is wrong.
func play(t *testing.T, h history, m mutation) (r *result) {
	t.Helper()
	base, err := os.MkdirTemp(fastDir(), "simulate")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(base)
	ended := false
	defer func() {
		if !ended { // a deadlock is a panic
			t.Errorf("the run did not end:\n%s", h.describe())
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(h, base, m)
		if err := w.run(); err != nil {
			w.oracle.fault("the run failed: %v", err)
		}
		r = w.verdict()
	})
	ended = true
	return r
}

// fastDir is a folder in memory if there is one: what a disk does is the business of other tests.
func fastDir() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

func newWorld(h history, base string, m mutation) *world {
	w := &world{seed: h.Seed, history: h, base: base, oracle: newOracle(h.Disk)}
	w.checker = checker.New(checker.Options{Rollback: false})
	w.log = slog.New(&listener{w.oracle})
	w.faults = &faults{mutation: m, log: w.log}
	for i := range clients {
		w.clients = append(w.clients, newClient(w, i, fmt.Sprint("u", i%3)))
	}
	w.eye = newClient(w, clients, "eye")
	if h.Disk {
		w.dir = filepath.Join(base, "0")
	}
	return w
}

func (w *world) everybody() []*client {
	return append(w.clients[:len(w.clients):len(w.clients)], w.eye)
}

func (w *world) run() error {
	if err := w.start(); err != nil {
		return err
	}
	for _, a := range w.history.Actions {
		time.Sleep(a.After)
		if err := w.act(a); err != nil {
			return fmt.Errorf("%v: %w", a, err)
		}
	}
	w.settle()
	w.oracle.judge(w)
	return w.end()
}

// start starts a node.
func (w *world) start() error {
	n, err := openNode(w.dir, w.history.Sync, w.faults)
	if err != nil {
		return err
	}
	if err := n.apply(w.variant, w.log); err != nil {
		return err
	}
	w.node.Store(n)
	return nil
}

// end ends everything, so that no goroutine stays.
func (w *world) end() error {
	for _, c := range w.everybody() {
		c.down()
	}
	synctest.Wait()
	return w.node.Load().close()
}

func (w *world) act(a action) error {
	c, channel := w.clients[a.Client], roomNames[a.Room]
	switch a.Op {
	case opUp:
		c.up()
	case opCut:
		c.down()
	case opMute:
		c.vanish()
	case opStall:
		c.stall(true)
		time.AfterFunc(a.stall(), func() { c.stall(false) })
	case opSubscribe:
		c.subscribe(channel)
	case opUnsubscribe:
		c.unsubscribe(channel, a.N%3 == 0)
	case opPublish:
		c.publish(talks(channel), 1+a.N%4, a.N)
	case opBurst:
		c.publish(talks(channel), 12+a.N%12, a.N)
	case opAgain:
		c.again()
	case opInfo:
		c.show(a.N)
	case opChange:
		c.change(a.N)
	case opReload:
		w.variant = a.N
		return w.node.Load().apply(w.variant, w.log)
	case opRestart:
		return w.restart()
	case opCrash:
		return w.crash()
	}
	return nil
}

// talks returns a room for messages: those of the desk go elsewhere.
func talks(channel string) string {
	if channel == desk {
		return kept
	}
	return channel
}

// restart ends the node in order, and starts it on the same file.
func (w *world) restart() error {
	n := w.node.Swap(nil)
	if err := n.close(); err != nil {
		return err
	}
	w.forget()
	return w.start()
}

// crash goes on with what is on the disk now. The old node ends, and nobody hears of it.
func (w *world) crash() error {
	synctest.Wait() // no commit is half done
	n := w.node.Swap(nil)
	if w.dir != "" {
		w.copies++
		next := filepath.Join(w.base, fmt.Sprint(w.copies))
		if err := os.CopyFS(next, os.DirFS(w.dir)); err != nil {
			return err
		}
		w.dir = next
	}
	for _, c := range w.everybody() {
		c.down()
	}
	w.forget()
	if err := n.close(); err != nil {
		return err
	}
	return w.start()
}

// forget is for the end of a node that kept everything in memory.
func (w *world) forget() {
	w.oracle.crashed()
	w.faults.restarted()
	if w.dir == "" {
		for _, c := range w.clients {
			c.forget()
		}
	}
}

// accept connects a client to the node, if there is one.
func (w *world) accept(c *client, l *link) bool {
	n := w.node.Load()
	if n == nil {
		return false
	}
	s, e := n.registry.Open(&session.Principal{Subject: policy.Subject{User: c.user}}, session.Options{
		Transport: l.transport(c.no), Encoder: frames{}, Dialect: native.Dialect{}, Answers: true, Name: "websocket",
		OnClose: func(r hub.Reason) { w.oracle.closed(l, r) },
	})
	if e != nil {
		return false
	}
	go l.serve(s)
	go l.carry()
	return true
}

// settle lets everybody come back and get what is missing, until nothing moves any more.
func (w *world) settle() {
	everybody := w.everybody()
	for i, c := range w.clients { // a user leaves for good
		if uint64(i%3) == w.seed%3 {
			c.unsubscribe(hall, false)
		}
	}
	for _, channel := range roomNames {
		w.eye.subscribe(channel)
	}
	for range 12 {
		for _, c := range everybody {
			c.stall(false)
			c.up()
		}
		time.Sleep(3 * time.Second)
		if w.idle() {
			break
		}
		for _, c := range everybody {
			c.poll()
		}
	}
	time.Sleep(2*(heartbeat+patience) + writeTimeout + 2*grace + 5*time.Second)
	for _, c := range everybody {
		if !c.idle() {
			w.oracle.fault("%s still waits for an answer or a connection: %v", c.name, c.waits)
		}
	}
	w.eye.ask()
	time.Sleep(5 * time.Second)
	synctest.Wait()
}

func (w *world) idle() bool {
	for _, c := range w.everybody() {
		if !c.idle() {
			return false
		}
	}
	return true
}

// verdict joins what the checker and the oracle found.
func (w *world) verdict() *result {
	r := &result{report: w.checker.Check()}
	r.faults, r.crashes, r.losses = w.oracle.faults, w.oracle.crashes, w.oracle.lost
	r.slow, r.repeats = int(w.oracle.slow), int(w.oracle.repeats)
	for _, a := range w.oracle.answers {
		if a.accepted {
			r.accepted++
		} else {
			r.rejected++
		}
	}
	for _, f := range r.report.Faults {
		r.faults = append(r.faults, f.String())
	}
	return r
}

// listener is a log in which an error is a broken promise: there is no cause for one.
type listener struct{ oracle *oracle }

func (*listener) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }

func (l *listener) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
	l.oracle.fault("the log has an error: %s", text)
	return nil
}

func (l *listener) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l *listener) WithGroup(string) slog.Handler      { return l }
