package lockorder

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
)

// held are the locks that are held at a point of a function.
type held map[*lock]bool

func (h held) and(more held) held {
	both := maps.Clone(h)
	if both == nil {
		both = make(held)
	}
	maps.Copy(both, more)
	return both
}

// event is something a function does while it holds locks.
type event struct {
	at   token.Pos
	held held
	lock *lock         // it waits for this lock, or else
	call *ast.CallExpr // it calls something
	lit  *function     // or this literal
}

// function is a function or a function literal.
type function struct {
	name   string
	params []types.Object
	events []event
	found  []string // what the walk itself finds wrong

	// See solve.
	acquires map[*lock]cause
	under    map[types.Object]held // the locks that are held when it calls a parameter
}

// walker goes through one function.
type walker struct {
	c      *checker
	f      *function
	loops  [][]held // per enclosing loop, switch or select: what is held at each break
	chosen bool     // in the communication of a select, which waits as a whole
}

// frame is the state of a walk: what is held, and what is deferred.
type frame struct {
	held     held
	deferred []ast.Node // calls, in their order
	over     bool       // not reached any more
}

func (s *frame) fork() *frame {
	return &frame{held: maps.Clone(s.held), deferred: s.deferred, over: s.over}
}

// join makes s what is left after several branches.
func (s *frame) join(branches ...*frame) {
	s.held, s.over = make(held), true
	for _, b := range branches {
		if !b.over {
			s.over = false
			maps.Copy(s.held, b.held)
			if len(b.deferred) > len(s.deferred) {
				s.deferred = b.deferred
			}
		}
	}
}

func (w *walker) body(b *ast.BlockStmt) {
	s := &frame{held: make(held)}
	w.block(b.List, s)
	if !s.over {
		w.exit(s, b.Rbrace)
	}
}

// exit runs what is deferred. Then nothing may be held any more.
func (w *walker) exit(s *frame, at token.Pos) {
	s = s.fork()
	for i := len(s.deferred) - 1; i >= 0; i-- {
		call := s.deferred[i].(*ast.CallExpr)
		if l, op := w.c.lockCall(call); l != nil && (op == "Unlock" || op == "RUnlock") {
			w.unlock(s, l, call.Pos())
			continue
		}
		w.call(call, s)
	}
	for l := range s.held {
		w.fail(at, "%s returns with %s locked", w.f.name, l)
	}
	s.over = true
}

func (w *walker) unlock(s *frame, l *lock, at token.Pos) {
	if !s.held[l] {
		w.fail(at, "%s unlocks %s, which it has not locked", w.f.name, l)
	}
	delete(s.held, l)
}

func (w *walker) fail(at token.Pos, format string, args ...any) {
	w.f.found = append(w.f.found, w.c.at(at, format, args...))
}

func (w *walker) block(list []ast.Stmt, s *frame) {
	for _, st := range list {
		if s.over {
			return
		}
		w.stmt(st, s)
	}
}

func (w *walker) stmt(st ast.Stmt, s *frame) {
	switch st := st.(type) {
	case nil:
	case *ast.BlockStmt:
		w.block(st.List, s)
	case *ast.LabeledStmt:
		w.stmt(st.Stmt, s)
	case *ast.DeferStmt:
		for _, arg := range st.Call.Args {
			w.expr(arg, s)
		}
		s.deferred = append(s.deferred[:len(s.deferred):len(s.deferred)], st.Call)
	case *ast.GoStmt:
		for _, arg := range st.Call.Args {
			w.expr(arg, s)
		}
		w.c.literal(st.Call.Fun) // holds nothing
	case *ast.ReturnStmt:
		for _, r := range st.Results {
			w.expr(r, s)
		}
		w.exit(s, st.Pos())
		s.over = true
	case *ast.BranchStmt:
		if n := len(w.loops); st.Tok == token.BREAK && n > 0 {
			w.loops[n-1] = append(w.loops[n-1], maps.Clone(s.held))
		}
		s.over = st.Tok != token.FALLTHROUGH
	case *ast.IfStmt:
		w.stmt(st.Init, s)
		w.expr(st.Cond, s)
		then, other := s.fork(), s.fork()
		w.tried(st.Cond, then, other)
		w.stmt(st.Body, then)
		w.stmt(st.Else, other)
		s.join(then, other)
	case *ast.ForStmt:
		w.stmt(st.Init, s)
		w.expr(st.Cond, s)
		w.loop(s, st.Cond != nil, func(s *frame) {
			w.stmt(st.Body, s)
			w.stmt(st.Post, s)
		})
	case *ast.RangeStmt:
		w.expr(st.X, s)
		if _, ok := w.c.info.Types[st.X].Type.Underlying().(*types.Chan); ok {
			w.wait(st.Pos(), s)
		}
		w.loop(s, true, func(s *frame) { w.stmt(st.Body, s) })
	case *ast.SwitchStmt:
		w.stmt(st.Init, s)
		w.expr(st.Tag, s)
		w.cases(st.Body, s)
	case *ast.TypeSwitchStmt:
		w.stmt(st.Init, s)
		w.stmt(st.Assign, s)
		w.cases(st.Body, s)
	case *ast.SelectStmt:
		if !hasDefault(st) {
			w.wait(st.Pos(), s)
		}
		w.cases(st.Body, s)
	default:
		w.expr(st, s)
	}
}

// tried finds the locks that a condition tries to take.
func (w *walker) tried(cond ast.Expr, then, other *frame) {
	switch cond := ast.Unparen(cond).(type) {
	case *ast.UnaryExpr:
		w.tried(cond.X, other, then)
	case *ast.BinaryExpr:
		if cond.Op == token.LAND {
			w.tried(cond.X, then, other)
			w.tried(cond.Y, then, other)
		}
	case *ast.CallExpr:
		if l, op := w.c.lockCall(cond); l != nil && (op == "TryLock" || op == "TryRLock") {
			then.held[l] = true
		}
	}
}

// loop walks a body once.
func (w *walker) loop(s *frame, ends bool, body func(*frame)) {
	w.loops = append(w.loops, nil)
	once := s.fork()
	body(once)
	n := len(w.loops) - 1
	var after []*frame
	for _, h := range w.loops[n] {
		after = append(after, &frame{held: h, deferred: s.deferred})
	}
	w.loops = w.loops[:n]
	if ends {
		after = append(after, s.fork(), once)
	}
	s.join(after...)
}

// cases walks the branches of a switch or select.
func (w *walker) cases(b *ast.BlockStmt, s *frame) {
	w.loops = append(w.loops, nil)
	var after []*frame
	whole := false
	for _, st := range b.List {
		one := s.fork()
		switch st := st.(type) {
		case *ast.CaseClause:
			whole = whole || st.List == nil
			for _, x := range st.List {
				w.expr(x, one)
			}
			w.block(st.Body, one)
		case *ast.CommClause:
			whole = true // one of them is taken
			w.chosen = true
			w.stmt(st.Comm, one)
			w.chosen = false
			w.block(st.Body, one)
		}
		after = append(after, one)
	}
	n := len(w.loops) - 1
	for _, h := range w.loops[n] {
		after = append(after, &frame{held: h, deferred: s.deferred})
	}
	w.loops = w.loops[:n]
	if !whole {
		after = append(after, s.fork())
	}
	s.join(after...)
}

// expr finds the calls in an expression or a simple statement, the inner ones first.
func (w *walker) expr(n ast.Node, s *frame) {
	if n == nil {
		return
	}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			w.c.literal(n) // walked on its own
			return false
		case *ast.SendStmt:
			w.wait(n.Pos(), s)
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				w.wait(n.Pos(), s)
			}
		case *ast.CallExpr:
			if _, ok := ast.Unparen(n.Fun).(*ast.FuncLit); !ok {
				w.expr(n.Fun, s)
			}
			for _, arg := range n.Args {
				w.expr(arg, s)
			}
			w.call(n, s)
			return false
		}
		return true
	})
}

// waiting stands for whatever may take long: another goroutine, a peer, time.
var waiting = &lock{"waiting"}

// wait notes that the function waits.
func (w *walker) wait(at token.Pos, s *frame) {
	if !w.chosen {
		w.f.events = append(w.f.events, event{at: at, held: maps.Clone(s.held), lock: waiting})
	}
}

func hasDefault(st *ast.SelectStmt) bool {
	for _, c := range st.Body.List {
		if c.(*ast.CommClause).Comm == nil {
			return true
		}
	}
	return false
}

// call notes a call, or what it does with a lock.
func (w *walker) call(call *ast.CallExpr, s *frame) {
	l, op := w.c.lockCall(call)
	switch {
	case l == nil:
		if fn, ok := w.c.object(call.Fun).(*types.Func); ok && waits[fn.FullName()] {
			w.wait(call.Pos(), s)
		}
		w.f.events = append(w.f.events, event{at: call.Pos(), held: maps.Clone(s.held), call: call})
	case op == "Lock" || op == "RLock":
		w.f.events = append(w.f.events, event{at: call.Pos(), held: maps.Clone(s.held), lock: l})
		s.held[l] = true
	case op == "Unlock" || op == "RUnlock":
		w.unlock(s, l, call.Pos())
	}
}
