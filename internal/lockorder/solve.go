package lockorder

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// cause is why a function waits for a lock: it does so itself, or what it calls does.
type cause struct {
	at  token.Pos
	via *function // nil: itself
}

// later are the functions of the standard library that call their argument on another
// goroutine. All others are taken to call it before they return.
var later = map[string]bool{"time.AfterFunc": true, "context.AfterFunc": true, "(*sync.WaitGroup).Go": true}

// waits are functions of the standard library that may wait.
var waits = map[string]bool{
	"time.Sleep": true, "(*sync.WaitGroup).Wait": true, "(*sync.Cond).Wait": true,
	"(net.Conn).Read": true, "(net.Conn).Write": true, "(*net.Dialer).DialContext": true,
	"io.ReadFull": true, "io.Copy": true,
	"(net/http.ResponseWriter).Write": true, "(*net/http.ResponseController).Flush": true, "(*net/http.Client).Do": true,
}

// solve finds what each function waits for, with all that it calls, and then the pairs.
func (c *checker) solve() {
	for changed := true; changed; {
		changed = false
		for _, f := range c.all {
			for i := range f.events {
				changed = c.event(f, &f.events[i], false) || changed
			}
		}
	}
	for _, f := range c.all {
		for i := range f.events {
			c.event(f, &f.events[i], true)
		}
	}
}

// event applies an event to what its function waits for; or if note is set, notes its pairs.
func (c *checker) event(f *function, e *event, note bool) (changed bool) {
	one := func(l *lock, h held, why cause) {
		if note {
			c.note(l, h, f, why)
			return
		}
		if _, ok := f.acquires[l]; !ok {
			f.acquires[l] = why
			changed = true
		}
	}
	all := func(g *function, h held) {
		for l := range g.acquires {
			one(l, h, cause{e.at, g})
		}
	}
	if e.lock != nil {
		one(e.lock, e.held, cause{e.at, nil})
		return changed
	}
	t := c.callees(e.call)
	for _, g := range t.funcs {
		all(g, e.held)
		for i, arg := range e.call.Args {
			if h, ok := g.under[g.param(i)]; ok {
				changed = c.passed(f, arg, e.held.and(h), all) || changed
			}
		}
	}
	switch {
	case t.place != nil:
		changed = c.value(f, t.place, e.held, all) || changed
	case t.outside != nil && !later[t.outside.FullName()]:
		for _, arg := range e.call.Args {
			if _, ok := c.info.Types[arg].Type.Underlying().(*types.Signature); ok {
				changed = c.passed(f, arg, e.held, all) || changed
			}
		}
	}
	return changed
}

// passed is for a function value that is called with locks held.
func (c *checker) passed(f *function, arg ast.Expr, h held, all func(*function, held)) (changed bool) {
	for _, s := range c.sources(arg) {
		if g, ok := s.(*function); ok {
			all(g, h)
		} else if o, ok := s.(types.Object); ok {
			changed = c.value(f, o, h, all) || changed
		} else {
			for g := range c.reach(s) {
				all(g, h)
			}
		}
	}
	return changed
}

// value is passed for a variable. A function's own parameter counts where the function
// is called.
func (c *checker) value(f *function, o types.Object, h held, all func(*function, held)) bool {
	if to, ok := c.alias[o]; ok && slices.Contains(f.params, to) {
		o = to
	}
	if slices.Contains(f.params, o) {
		return f.calls(o, h)
	}
	for g := range c.reach(o) {
		all(g, h)
	}
	return false
}

func (c *checker) note(inner *lock, h held, f *function, why cause) {
	for outer := range h {
		p := pair{outer, inner}
		if _, ok := c.pairs[p]; ok {
			continue
		}
		at := c.at(why.at, "%s", f.name)
		for n := 0; why.via != nil && n < 30; n++ {
			f = why.via
			at += ", " + f.name
			why = f.acquires[inner]
		}
		c.pairs[p] = at
	}
}
