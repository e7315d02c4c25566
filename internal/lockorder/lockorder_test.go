package lockorder

import (
	"go/parser"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

const module = "github.com/caddy-realtime/caddy-realtime"

// TestLocks fails when the locks of what is built into Caddy break one of the rules.
func TestLocks(t *testing.T) {
	t.Parallel()
	p, err := load(module + "/cmd/caddy")
	if err != nil {
		t.Fatal(err)
	}
	own, err := parser.ParseFile(p.fset, "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	pairs, found := check(p)
	if len(pairs) < 10 {
		t.Fatalf("only %d locks were found under which others are taken", len(pairs))
	}
	broken := read(append(p.docs, doc{"lockorder", own.Doc.Text()})).compare(pairs)
	for _, b := range append(found, broken...) {
		t.Error(b)
	}
}

// TestFindings is what is found in some small packages. Each has an order in its comment,
// which is A.mu > B.mu.
func TestFindings(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ source, want string }{
		"as written":                {`func (a *A) f(b *B) { a.mu.Lock(); defer a.mu.Unlock(); b.lock() }`, ""},
		"the wrong way round":       {`func (a *A) g(b *B) { b.mu.Lock(); a.lock(); b.mu.Unlock() }`, "p.B.mu > p.A.mu is not"},
		"the same lock":             {`func (b *B) g(o *B) { b.mu.Lock(); o.lock(); b.mu.Unlock() }`, "p.B.mu > p.B.mu is not"},
		"after the unlock":          {`func (a *A) g(b *B) { b.mu.Lock(); b.mu.Unlock(); a.lock() }`, ""},
		"in a branch that returned": {`func (a *A) g(b *B, x bool) { b.mu.Lock(); if x { b.mu.Unlock(); a.lock(); return }; b.mu.Unlock() }`, ""},
		"after a branch":            {`func (a *A) g(b *B, x bool) { if x { b.mu.Lock(); defer b.mu.Unlock() }; a.lock() }`, "p.B.mu > p.A.mu is not"},
		"in a loop":                 {`func (a *A) g(bs []*B) { for _, b := range bs { b.mu.Lock(); a.lock(); b.mu.Unlock() } }`, "p.B.mu > p.A.mu is not"},
		"deferred before the lock":  {`func (a *A) g(b *B) { defer a.lock(); b.mu.Lock(); defer b.mu.Unlock() }`, ""},
		"deferred after the lock":   {`func (a *A) g(b *B) { b.mu.Lock(); defer b.mu.Unlock(); defer a.lock() }`, "p.B.mu > p.A.mu is not"},
		"on another goroutine":      {`func (a *A) g(b *B) { b.mu.Lock(); defer b.mu.Unlock(); go a.lock() }`, ""},
		"tried":                     {`func (a *A) g(b *B) { b.mu.Lock(); defer b.mu.Unlock(); if a.mu.TryLock() { a.mu.Unlock() } }`, ""},
		"under a tried one":         {`func (a *A) g(b *B) { if !b.mu.TryLock() { return }; a.lock(); b.mu.Unlock() }`, "p.B.mu > p.A.mu is not"},
		"through a parameter":       {`func (b *B) with(f func()) { b.mu.Lock(); defer b.mu.Unlock(); f() }; func (a *A) g(b *B) { b.with(func() { a.lock() }) }`, "p.B.mu > p.A.mu is not"},
		"through another parameter": {`func (b *B) with(f func()) { b.mu.Lock(); b.mu.Unlock(); f() }; func (a *A) g(b *B) { b.with(a.lock) }`, ""},
		"through a field":           {`type c struct{ f func() }; func (b *B) g(x c) { b.mu.Lock(); x.f(); b.mu.Unlock() }; func (a *A) g() c { return c{f: a.lock} }`, "p.B.mu > p.A.mu is not"},
		"through an interface":      {`type l interface{ lock() }; func (b *B) g(x l) { b.mu.Lock(); x.lock(); b.mu.Unlock() }`, "p.B.mu > p.A.mu is not"},
		"through an instance":       {`type G[T any] struct { mu sync.Mutex }; func (g *G[T]) h(b *B) { g.mu.Lock(); b.lock(); g.mu.Unlock() }; func h(g *G[int], b *B) { b.mu.Lock(); g.h(nil); b.mu.Unlock() }`, "p.B.mu > p.G.mu is not"},
		"left locked":               {`func (a *A) g(x bool) { a.mu.Lock(); if x { return }; a.mu.Unlock() }`, "g returns with p.A.mu locked"},
		"the lock of the caller":    {`func (a *A) g() { a.mu.Unlock() }`, "g unlocks p.A.mu, which it has not locked"},
		"waits":                     {`func (a *A) g(c chan int) { a.mu.Lock(); defer a.mu.Unlock(); <-c }`, "p.A.mu > waiting is not"},
		"waits in a call":           {`func (a *A) g(w *sync.WaitGroup) { a.mu.Lock(); defer a.mu.Unlock(); w.Wait() }`, "p.A.mu > waiting is not"},
		"waits for no other":        {`func (a *A) g(c chan int) { a.mu.Lock(); defer a.mu.Unlock(); select { case <-c: default: } }`, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := `// Package p.
//
//	A.mu > B.mu: as an example
package p
import "sync"
type A struct { mu sync.Mutex }
type B struct { mu sync.RWMutex }
func (a *A) lock() { a.mu.Lock(); defer a.mu.Unlock() }
func (b *B) lock() { b.mu.RLock(); defer b.mu.RUnlock() }
func (a *A) both(b *B) { a.mu.Lock(); b.lock(); a.mu.Unlock() }
` + test.source
			broken := findings(t, source)
			switch {
			case test.want == "" && broken != nil:
				t.Errorf("found %q", broken)
			case test.want != "" && !slices.ContainsFunc(broken, func(b string) bool { return strings.Contains(b, test.want) }):
				t.Errorf("found %q", broken)
			}
		})
	}
}

// What a comment says and no function does is found, and an order that is none.
func TestWrittenWithoutNeed(t *testing.T) {
	t.Parallel()
	source := "// Package p.\n//\n//\tA.mu > B.mu > A.mu\npackage p\n"
	for _, want := range []string{"no function does so", "before itself"} {
		if broken := strings.Join(findings(t, source), "\n"); !strings.Contains(broken, want) {
			t.Errorf("%q is not in %q", want, broken)
		}
	}
}

func findings(t *testing.T, source string) []string {
	t.Helper()
	p := newProgram()
	from, err := p.compiled([]string{"sync"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.add("p", map[string]any{"p.go": source}, from); err != nil {
		t.Fatal(err)
	}
	pairs, found := check(p)
	return append(found, read(p.docs).compare(pairs)...)
}
