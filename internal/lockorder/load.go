package lockorder

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// program is the source of the packages that are checked, with types.
type program struct {
	fset  *token.FileSet
	info  types.Info // of all packages
	files []*ast.File
	pkgs  []*types.Package
	docs  []doc
}

// doc is the comment of a package.
type doc struct{ pkg, text string }

// listed is what the go command says of a package.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
	Module                  *struct{ Main bool }
}

// load parses and checks the packages of the main module that a pattern names or needs. The
// types of other modules come from what the compiler has exported.
func load(pattern string) (*program, error) {
	list, err := goList(pattern)
	if err != nil {
		return nil, err
	}
	p, exports, ours := newProgram(), make(map[string]string), make(map[string]*types.Package)
	others := importer.ForCompiler(p.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	from := importerFunc(func(path string) (*types.Package, error) {
		if pkg, ok := ours[path]; ok {
			return pkg, nil
		}
		return others.Import(path)
	})
	for _, l := range list { // dependencies come first
		exports[l.ImportPath] = l.Export
		if l.Module == nil || !l.Module.Main {
			continue
		}
		sources := make(map[string]any)
		for _, name := range l.GoFiles {
			sources[filepath.Join(l.Dir, name)] = nil
		}
		if ours[l.ImportPath], err = p.add(l.ImportPath, sources, from); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func newProgram() *program {
	return &program{fset: token.NewFileSet(), info: types.Info{
		Types:      make(map[ast.Expr]types.TypeAndValue),
		Defs:       make(map[*ast.Ident]types.Object),
		Uses:       make(map[*ast.Ident]types.Object),
		Selections: make(map[*ast.SelectorExpr]*types.Selection),
	}}
}

// add parses and checks one package. The sources are as for parser.ParseFile.
func (p *program) add(path string, sources map[string]any, from types.Importer) (*types.Package, error) {
	var files []*ast.File
	for name, src := range sources {
		f, err := parser.ParseFile(p.fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		if files = append(files, f); f.Doc != nil {
			p.docs = append(p.docs, doc{f.Name.Name, f.Doc.Text()})
		}
	}
	conf := types.Config{Importer: from}
	pkg, err := conf.Check(path, p.fset, files, &p.info)
	if err != nil {
		return nil, err
	}
	p.files, p.pkgs = append(p.files, files...), append(p.pkgs, pkg)
	return pkg, nil
}

func goList(pattern string) (list []listed, err error) {
	args := []string{"list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,Module", pattern}
	if race { // what the tests were built with is built already
		args = append(args[:1], append([]string{"-race"}, args[1:]...)...)
	}
	out, err := exec.Command("go", args...).Output()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return nil, fmt.Errorf("go list: %w\n%s", err, exit.Stderr)
	} else if err != nil {
		return nil, err
	}
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var l listed
		if err := d.Decode(&l); err != nil {
			return nil, err
		}
		list = append(list, l)
	}
	return list, nil
}

type importerFunc func(path string) (*types.Package, error)

func (f importerFunc) Import(path string) (*types.Package, error) { return f(path) }

// position is where something is, without the directory.
func (p *program) position(at token.Pos) string {
	pos := p.fset.Position(at)
	return fmt.Sprintf("%s:%d", filepath.Base(pos.Filename), pos.Line)
}

// nameOf is a function's name without the path of its package.
func nameOf(f *types.Func) string {
	name := f.FullName()
	if i := strings.LastIndex(name, "/"); i >= 0 {
		if star := strings.Index(name, "(*"); star == 0 {
			return "(*" + name[i+1:]
		}
		return strings.TrimPrefix(name[i+1:], "(")
	}
	return name
}
