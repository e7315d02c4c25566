package lockorder

import (
	"go/ast"
	"go/token"
	"go/types"
)

// result is a result of a function, as a place in which function values are.
type result struct {
	of *types.Func
	i  int
}

// follow notes where function values go. It knows neither the order of statements nor one
// value of a struct from another.
func (c *checker) follow(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncDecl:
		if fn, ok := c.info.Defs[n.Name].(*types.Func); ok && n.Body != nil {
			c.returns(fn, n.Body)
		}
	case *ast.AssignStmt:
		c.assign(n.Lhs, n.Rhs)
	case *ast.ValueSpec:
		lhs := make([]ast.Expr, len(n.Names))
		for i := range n.Names {
			lhs[i] = n.Names[i]
		}
		c.assign(lhs, n.Values)
	case *ast.RangeStmt:
		if n.Value != nil {
			c.put(c.object(n.Value), n.X)
			if x := c.object(n.X); x != nil {
				c.alias[c.object(n.Value)] = x
			}
		}
	case *ast.SendStmt:
		c.put(c.object(n.Chan), n.Value)
	case *ast.CompositeLit:
		c.composite(n)
	case *ast.CallExpr:
		for _, f := range c.callees(n).funcs {
			for i, arg := range n.Args {
				if p := f.param(i); p != nil {
					c.put(p, arg)
				}
			}
		}
	}
	return true
}

func (f *function) param(i int) types.Object {
	if len(f.params) == 0 {
		return nil
	}
	return f.params[min(i, len(f.params)-1)] // the last one may be variadic
}

func (c *checker) returns(fn *types.Func, body *ast.BlockStmt) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			for i, r := range n.Results {
				c.put(result{fn, i}, r)
			}
		}
		return true
	})
}

func (c *checker) assign(lhs, rhs []ast.Expr) {
	if len(lhs) == len(rhs) {
		for i := range lhs {
			c.put(c.object(lhs[i]), rhs[i])
		}
		return
	}
	if len(rhs) != 1 {
		return
	}
	if call, ok := ast.Unparen(rhs[0]).(*ast.CallExpr); ok {
		if fn, ok := c.object(call.Fun).(*types.Func); ok {
			for i := range lhs {
				c.link(c.object(lhs[i]), result{fn, i})
			}
		}
		return
	}
	c.put(c.object(lhs[0]), rhs[0])
}

func (c *checker) composite(n *ast.CompositeLit) {
	st, ok := c.info.Types[n].Type.Underlying().(*types.Struct)
	if !ok {
		return
	}
	for i, e := range n.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			c.put(c.object(kv.Key), kv.Value)
		} else {
			c.put(origin(st.Field(i)), e)
		}
	}
}

// put notes that the function values of an expression come to a place.
func (c *checker) put(to any, from ast.Expr) {
	for _, s := range c.sources(from) {
		c.link(to, s)
	}
}

func (c *checker) link(to, from any) {
	if to == nil || to == types.Object(nil) || from == nil {
		return
	}
	if c.flow[to] == nil {
		c.flow[to] = make(map[any]bool)
	}
	c.flow[to][from] = true
}

// sources are the functions, and the places of function values, that an expression may be.
func (c *checker) sources(e ast.Expr) (all []any) {
	switch e := ast.Unparen(e).(type) {
	case *ast.FuncLit:
		return []any{c.literal(e)}
	case *ast.CallExpr:
		if id, ok := e.Fun.(*ast.Ident); ok && c.info.Types[e.Fun].IsBuiltin() && id.Name == "append" || c.info.Types[e.Fun].IsType() {
			for _, arg := range e.Args {
				all = append(all, c.sources(arg)...)
			}
			return all
		}
		if fn, ok := c.object(e.Fun).(*types.Func); ok {
			return []any{result{fn, 0}}
		}
	case *ast.CompositeLit:
		for _, x := range e.Elts {
			if kv, ok := x.(*ast.KeyValueExpr); ok {
				x = kv.Value
			}
			all = append(all, c.sources(x)...)
		}
		return all
	case *ast.UnaryExpr:
		if e.Op == token.ARROW || e.Op == token.AND {
			return c.sources(e.X)
		}
	case *ast.SliceExpr:
		return c.sources(e.X)
	case *ast.TypeAssertExpr:
		return c.sources(e.X)
	default:
		switch o := c.object(e).(type) {
		case *types.Func:
			for _, f := range c.behind(o) {
				all = append(all, f)
			}
		case *types.Var:
			return []any{types.Object(o)}
		}
	}
	return all
}

// behind are the functions that a function or a method of an interface stands for.
func (c *checker) behind(fn *types.Func) []*function {
	if f := c.funcs[fn]; f != nil {
		return []*function{f}
	}
	if r := fn.Signature().Recv(); r != nil && types.IsInterface(r.Type()) {
		return c.implementations(fn)
	}
	return nil
}

// reach are the functions that may be in a place.
func (c *checker) reach(place any) map[*function]bool {
	if fs, ok := c.reached[place]; ok {
		return fs
	}
	fs, seen := make(map[*function]bool), make(map[any]bool)
	var visit func(any)
	visit = func(p any) {
		if seen[p] {
			return
		}
		seen[p] = true
		if f, ok := p.(*function); ok {
			fs[f] = true
			return
		}
		for from := range c.flow[p] {
			visit(from)
		}
	}
	visit(place)
	c.reached[place] = fs
	return fs
}

// target is what a call calls.
type target struct {
	funcs   []*function
	place   types.Object // a function value
	outside *types.Func  // a function of another module
}

func (c *checker) callees(call *ast.CallExpr) (t target) {
	if f := c.literal(call.Fun); f != nil {
		return target{funcs: []*function{f}}
	}
	switch o := c.object(call.Fun).(type) {
	case *types.Func:
		if t.funcs = c.behind(o); t.funcs == nil {
			t.outside = o
		}
	case *types.Var:
		t.place = o
	}
	return t
}
