package guard_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// elsewhere are goroutines that do not begin with a recover, because each of their steps
// has one. They are named with a guard of their steps, which [tested] has.
var elsewhere = map[string]string{
	"hub: drain":  "hub: a room",
	"hub: flush":  "hub: a write",
	"hub: finish": "hub: the end of a connection",
	"hub: run":    "hub: the heartbeat",
}

// aside are directories that are no part of the module in a server: cli runs in a process of
// its own, which a panic should end. Those of internal are
// named one by one: a server contains the others, such as internal/caddyhost.
var aside = []string{
	"integration", "bench", "examples", "tools", "client", "backend/backendtest", "cmd", "docs", "cli", "ws/dial",
	"internal/archtest", "internal/checker", "internal/editor", "internal/faultproxy", "internal/freeport", "internal/guard",
	"internal/leak", "internal/lockorder", "internal/panictest", "internal/redistest", "internal/spawn", "internal/xconnect",
}

// source is one package.
type source struct {
	dir   string
	files []*ast.File
	set   *token.FileSet
	funcs map[string][]*ast.FuncDecl // by name, methods as well
}

func sources(t *testing.T) map[string]*source {
	t.Helper()
	root, all := filepath.Join("..", ".."), make(map[string]*source)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(root, path)
		rel = filepath.ToSlash(rel)
		switch {
		case err != nil:
			return err
		case d.IsDir() && skipped(rel, d.Name()):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		dir := filepath.ToSlash(filepath.Dir(rel))
		s := all[dir]
		if s == nil {
			s = &source{dir: dir, set: token.NewFileSet(), funcs: make(map[string][]*ast.FuncDecl)}
			all[dir] = s
		}
		return s.parse(path)
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func skipped(rel, name string) bool {
	for _, dir := range aside {
		if rel == dir {
			return true
		}
	}
	return rel != "." && strings.HasPrefix(name, ".") || name == "node_modules"
}

func (s *source) parse(path string) error {
	f, err := parser.ParseFile(s.set, path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	s.files = append(s.files, f)
	for _, d := range f.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			s.funcs[f.Name.Name] = append(s.funcs[f.Name.Name], f)
		}
	}
	return nil
}

// started gives the functions that the package starts in goroutines of their own.
func (s *source) started() (all []ast.Expr) {
	for _, f := range s.files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				all = append(all, n.Call.Fun)
			case *ast.CallExpr:
				switch called := nameOf(n.Fun); {
				case called == "AfterFunc" && len(n.Args) == 2:
					all = append(all, n.Args[1])
				case called == "Go" && len(n.Args) == 1:
					all = append(all, n.Args[0])
				}
			}
			return true
		})
	}
	return all
}

// nameOf is the last name of a function or method.
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// guards reports that a function ends its panics itself: it begins with a defer that
// recovers, or does nothing but call something that does.
func (s *source) guards(body *ast.BlockStmt) bool {
	for i, stmt := range body.List {
		switch stmt := stmt.(type) {
		case *ast.DeferStmt:
			if s.recovers(stmt.Call) {
				return true
			}
		case *ast.ExprStmt:
			call, ok := stmt.X.(*ast.CallExpr)
			return ok && i == len(body.List)-1 && (isGuard(call.Fun, "Run", "Loop") || s.isGuarded(call.Fun))
		case *ast.AssignStmt, *ast.IfStmt:
			// What prepares the recover.
		default:
			return false
		}
	}
	return false
}

func (s *source) recovers(call *ast.CallExpr) bool {
	if isGuard(call.Fun, "Recover") {
		return true
	}
	for _, f := range s.funcs[nameOf(call.Fun)] {
		if strings.HasPrefix(f.Name.Name, "recover") && calls(f.Body, "recover") && calls(f.Body, "Report") {
			return true
		}
	}
	return false
}

func isGuard(fun ast.Expr, names ...string) bool {
	sel, ok := fun.(*ast.SelectorExpr)
	if !ok || nameOf(sel.X) != "guard" {
		return false
	}
	for _, name := range names {
		if sel.Sel.Name == name {
			return true
		}
	}
	return false
}

func calls(body *ast.BlockStmt, name string) (found bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		if c, ok := n.(*ast.CallExpr); ok && nameOf(c.Fun) == name {
			found = true
		}
		return true
	})
	return found
}

// isGuarded reports that a function, or every method of a name, ends its panics itself.
func (s *source) isGuarded(fun ast.Expr) bool {
	if lit, ok := fun.(*ast.FuncLit); ok {
		return s.guards(lit.Body)
	}
	decls := s.funcs[nameOf(fun)]
	for _, d := range decls {
		if !s.guards(d.Body) {
			return false
		}
	}
	return len(decls) > 0
}

// Every goroutine of the module, and everything that a timer calls, ends its panics. One
// that does not would end the process.
func TestGoroutinesAreGuarded(t *testing.T) {
	t.Parallel()
	found, seen := 0, make(map[string]bool)
	for dir, s := range sources(t) {
		for _, fun := range s.started() {
			found++
			key := fmt.Sprintf("%s: %s", dir, nameOf(fun))
			if _, ok := elsewhere[key]; ok {
				seen[key] = true
				continue
			}
			if !s.isGuarded(fun) {
				t.Errorf("%s: the goroutine does not begin with a deferred guard.Recover", s.set.Position(fun.Pos()))
			}
		}
	}
	for key, guard := range elsewhere {
		if !seen[key] || tested[guard] == "" {
			t.Errorf("there is no goroutine %q with the guard %q", key, guard)
		}
	}
	if found < 25 {
		t.Errorf("found %d goroutines, which are too few", found)
	}
}
