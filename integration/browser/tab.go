package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long something may take to happen in a page, on a machine that
// has much else to do.
const patience = 30 * time.Second

// Note is what a page says: something of a kind has happened.
type Note struct {
	Kind  string
	Value json.RawMessage
}

func (n Note) String() string { return n.Kind + " " + string(n.Value) }

// Tab is a page in a tab of its own.
type Tab struct {
	t    testing.TB
	name string
	ctx  context.Context
	end  context.CancelFunc

	// Guarded by mu.
	mu         sync.Mutex
	notes      []Note
	read       int           // how many notes the test has read
	grown      chan struct{} // closed, and replaced, with each note
	complaints []string      // see [complaint]
}

// Open opens an address in a new tab, which shares nothing with other tabs, not even
// cookies. The name is for messages.
func (c *Chromium) Open(name, url string) *Tab {
	c.t.Helper()
	return open(c.t, c.ctx, name, url, chromedp.WithNewBrowserContext())
}

// beside opens an address in another tab, which shares cookies and workers with this one, and ends with it.
func (p *Tab) beside(name, url string) *Tab {
	p.t.Helper()
	return open(p.t, p.ctx, name, url)
}

func open(t testing.TB, ctx context.Context, name, url string, options ...chromedp.ContextOption) *Tab {
	t.Helper()
	tab := &Tab{t: t, name: name, grown: make(chan struct{})}
	tab.ctx, tab.end = chromedp.NewContext(ctx, append(options, chromedp.WithListener(tab.listen))...)
	t.Cleanup(func() {
		tab.Close()
		if t.Failed() {
			t.Logf("the notes of %s:\n%s", name, tab.all())
		}
	})
	binding := chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, runtime.AddBinding, runtime.AddBindingParams{Name: "tell"})
		return err
	})
	if err := chromedp.Do(tab.ctx, binding); err != nil { // without a limit, which would be one for the tab's life
		t.Fatalf("%s: %v", name, err)
	}
	tab.Do(chromedp.Navigate(url))
	return tab
}

// Close closes the tab, as a user would.
func (p *Tab) Close() { p.end() }

// Do runs actions in the tab.
func (p *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
}

// Run runs JavaScript in the page and waits for the promise, if it makes one.
func (p *Tab) Run(script string, args ...any) {
	p.t.Helper()
	p.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(script, args...)+"\n;0", chromedp.EvalAwaitPromise))
}

// Eval is Run for an expression that has a value, or the promise of one.
func Eval[T any](p *Tab, expression string, args ...any) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](fmt.Sprintf(expression, args...), chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
	return v
}

// listen takes what the page tells.
func (p *Tab) listen(ev any) {
	if text, ok := complaint(ev); ok {
		p.complain(text)
	}
	call, ok := ev.(*runtime.EventBindingCalled)
	if !ok || call.Name != "tell" {
		return
	}
	var n Note
	if err := json.Unmarshal([]byte(call.Payload), &n); err != nil {
		n = Note{"unreadable", json.RawMessage(call.Payload)}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notes = append(p.notes, n)
	close(p.grown)
	p.grown = make(chan struct{})
}

// Expect waits for the next note, which has to be of a kind, and decodes its value
// into the type T.
func Expect[T any](p *Tab, kind string) T {
	p.t.Helper()
	n := p.next(func(n Note) bool { return true }, kind)
	if n.Kind != kind {
		p.t.Fatalf("%s notes %q instead of %s", p.name, n, kind)
	}
	return decode[T](p, n)
}

// Await waits for a note of a kind, passing by those of other kinds.
func Await[T any](p *Tab, kind string) T {
	p.t.Helper()
	return decode[T](p, p.next(func(n Note) bool { return n.Kind == kind }, kind))
}

func decode[T any](p *Tab, n Note) (v T) {
	p.t.Helper()
	if len(n.Value) == 0 {
		return v
	}
	if err := json.Unmarshal(n.Value, &v); err != nil {
		p.t.Fatalf("%s notes %q: %v", p.name, n, err)
	}
	return v
}

// next waits for the next note that is wanted.
func (p *Tab) next(wanted func(Note) bool, kind string) Note {
	p.t.Helper()
	end := time.After(patience)
	for {
		n, grown := p.look(wanted)
		if grown == nil {
			return n
		}
		select {
		case <-grown:
		case <-end:
			p.t.Fatalf("%s has not noted %s", p.name, kind)
		}
	}
}

// look reads notes up to one that is wanted. When there is none it returns what
// announces the next.
func (p *Tab) look(wanted func(Note) bool) (Note, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.read < len(p.notes) {
		n := p.notes[p.read]
		p.read++
		if wanted(n) {
			return n, nil
		}
	}
	return Note{}, p.grown
}

// all lists the notes, for the log of a test that failed.
func (p *Tab) all() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var text strings.Builder
	for i, n := range p.notes {
		mark := " "
		if i >= p.read {
			mark = "+" // not read by the test
		}
		fmt.Fprintf(&text, "%s %s\n", mark, n)
	}
	return text.String()
}
