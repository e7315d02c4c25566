package lockorder

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
)

// lock is a mutex: all values of one field, or one variable.
type lock struct{ name string }

func (l *lock) String() string { return l.name }

// pair says that a lock is waited for while another one is held.
type pair struct{ outer, inner *lock }

// checker goes through a program.
type checker struct {
	*program
	names     map[types.Object]string // of fields
	locks     map[types.Object]*lock
	funcs     map[*types.Func]*function
	lits      map[*ast.FuncLit]*function
	all       []*function
	flow      map[any]map[any]bool // from where the function values of a variable come
	reached   map[any]map[*function]bool
	alias     map[types.Object]types.Object // a loop's variable over a parameter
	types     []*types.Named
	pairs     map[pair]string // where
	implement map[*types.Func][]*function
}

// check finds the pairs of a program, and the functions that release what they have not
// locked or leave something locked.
func check(p *program) (pairs map[string]map[string]string, found []string) {
	c := &checker{
		program: p, names: make(map[types.Object]string), locks: make(map[types.Object]*lock),
		funcs: make(map[*types.Func]*function), lits: make(map[*ast.FuncLit]*function),
		flow: make(map[any]map[any]bool), reached: make(map[any]map[*function]bool),
		alias: make(map[types.Object]types.Object), pairs: make(map[pair]string),
		implement: make(map[*types.Func][]*function),
	}
	c.name()
	c.declare()
	for i := 0; i < len(c.all); i++ { // literals come while it runs
		found = append(found, c.all[i].found...)
	}
	for _, f := range c.files {
		ast.Inspect(f, c.follow)
	}
	c.solve()
	pairs = make(map[string]map[string]string)
	for pr, at := range c.pairs {
		if pairs[pr.outer.name] == nil {
			pairs[pr.outer.name] = make(map[string]string)
		}
		pairs[pr.outer.name][pr.inner.name] = at
	}
	slices.Sort(found)
	return pairs, found
}

func (c *checker) at(at token.Pos, format string, args ...any) string {
	return c.position(at) + ": " + fmt.Sprintf(format, args...)
}

// name finds the types, and names the fields of the structs.
func (c *checker) name() {
	for _, pkg := range c.pkgs {
		for _, name := range pkg.Scope().Names() {
			tn, ok := pkg.Scope().Lookup(name).(*types.TypeName)
			if !ok || tn.IsAlias() {
				continue
			}
			named := tn.Type().(*types.Named)
			c.types = append(c.types, named)
			if st, ok := named.Underlying().(*types.Struct); ok {
				for f := range st.Fields() {
					c.names[f] = pkg.Name() + "." + name + "." + f.Name()
				}
			}
		}
	}
}

// declare walks all functions.
func (c *checker) declare() {
	var decls []*ast.FuncDecl
	for _, file := range c.files {
		for _, d := range file.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && d.Body != nil {
				fn := c.info.Defs[d.Name].(*types.Func)
				c.funcs[fn] = c.newFunction(nameOf(fn), d.Type)
				decls = append(decls, d)
			}
		}
	}
	for _, d := range decls {
		f := c.funcs[c.info.Defs[d.Name].(*types.Func)]
		(&walker{c: c, f: f}).body(d.Body)
	}
	for _, file := range c.files { // those in the values of package variables
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.FuncLit); ok {
				c.literal(lit)
			}
			return true
		})
	}
}

func (c *checker) newFunction(name string, t *ast.FuncType) *function {
	f := &function{name: name, acquires: make(map[*lock]cause), under: make(map[types.Object]held)}
	for _, field := range t.Params.List {
		for _, id := range field.Names {
			f.params = append(f.params, c.info.Defs[id])
		}
		if field.Names == nil {
			f.params = append(f.params, nil)
		}
	}
	c.all = append(c.all, f)
	return f
}

// literal returns the function of a literal, which is walked the first time; nil if n is
// another expression.
func (c *checker) literal(n ast.Expr) *function {
	lit, ok := ast.Unparen(n).(*ast.FuncLit)
	if !ok {
		return nil
	}
	f := c.lits[lit]
	if f == nil {
		f = c.newFunction("the function at "+c.position(lit.Pos()), lit.Type)
		c.lits[lit] = f
		(&walker{c: c, f: f}).body(lit.Body)
	}
	return f
}

var mutexes = map[string]bool{"(*sync.Mutex).": true, "(*sync.RWMutex).": true}

// lockCall returns the lock of which a call calls a method, and the name of the method.
func (c *checker) lockCall(call *ast.CallExpr) (*lock, string) {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return nil, ""
	}
	m, ok := c.info.Uses[sel.Sel].(*types.Func)
	if !ok || m.Pkg() == nil || m.Pkg().Path() != "sync" || !mutexes[m.FullName()[:len(m.FullName())-len(m.Name())]] {
		return nil, ""
	}
	return c.lockOf(c.mutex(sel)), m.Name()
}

// mutex is the field or variable of which sel is a method.
func (c *checker) mutex(sel *ast.SelectorExpr) types.Object {
	if s := c.info.Selections[sel]; s != nil && len(s.Index()) > 1 { // of an embedded mutex
		t, index := s.Recv(), s.Index()
		for _, i := range index[:len(index)-2] {
			t = structOf(t).Field(i).Type()
		}
		return structOf(t).Field(index[len(index)-2])
	}
	return c.object(sel.X)
}

func structOf(t types.Type) *types.Struct {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	return t.Underlying().(*types.Struct)
}

// object is the field, variable or function that an expression names; nil: none.
func (c *checker) object(e ast.Expr) types.Object {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		if o := c.info.Uses[e]; o != nil {
			return origin(o)
		}
		return origin(c.info.Defs[e])
	case *ast.SelectorExpr:
		return origin(c.info.Uses[e.Sel])
	case *ast.IndexExpr:
		return c.object(e.X)
	case *ast.IndexListExpr:
		return c.object(e.X)
	case *ast.StarExpr:
		return c.object(e.X)
	}
	return nil
}

// origin is what an object of an instance of a generic type is made of.
func origin(o types.Object) types.Object {
	switch o := o.(type) {
	case *types.Var:
		return o.Origin()
	case *types.Func:
		return o.Origin()
	}
	return o
}

func (c *checker) lockOf(o types.Object) *lock {
	l := c.locks[o]
	if l == nil {
		name := c.names[o]
		if name == "" && o != nil {
			name = o.Pkg().Name() + "." + o.Name()
		}
		l = &lock{name}
		c.locks[o] = l
	}
	return l
}

// implementations are the methods behind a method of an interface that one of the packages
// declares. Others, such as io.Closer, have methods that nearly everything has.
func (c *checker) implementations(m *types.Func) []*function {
	if fs, ok := c.implement[m]; ok {
		return fs
	}
	var fs []*function
	i, _ := m.Signature().Recv().Type().Underlying().(*types.Interface)
	for _, t := range c.types {
		if i == nil || !slices.Contains(c.pkgs, m.Pkg()) || types.IsInterface(t) || t.TypeParams() != nil {
			continue
		}
		p := types.NewPointer(t)
		if !types.Implements(p, i) {
			continue
		}
		o, _, _ := types.LookupFieldOrMethod(p, true, m.Pkg(), m.Name())
		if f, ok := o.(*types.Func); ok && c.funcs[f.Origin()] != nil {
			fs = append(fs, c.funcs[f.Origin()])
		}
	}
	c.implement[m] = fs
	return fs
}

func (f *function) calls(o types.Object, h held) bool {
	old, known := f.under[o]
	now := old.and(h)
	f.under[o] = now
	return !known || !maps.Equal(old, now)
}
