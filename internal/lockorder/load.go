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
	"slices"
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
	GoFiles, Imports        []string
	Module                  *struct{ Main bool }
}

// load parses and checks the packages of the main module that a pattern names or needs. The
// types of other modules come from what the compiler has exported.
func load(pattern string) (*program, error) {
	list, err := goList("-deps", pattern)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(l listed) bool { return l.Module == nil || !l.Module.Main })
	p, ours := newProgram(), make(map[string]*types.Package)
	others, err := p.compiled(imports(list))
	if err != nil {
		return nil, err
	}
	from := importerFunc(func(path string) (*types.Package, error) {
		if pkg, ok := ours[path]; ok {
			return pkg, nil
		}
		return others.Import(path)
	})
	for _, l := range list { // dependencies come first
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

// imports are the packages that a list imports and does not contain. Only those are compiled.
func imports(list []listed) (paths []string) {
	for _, l := range list {
		for _, path := range l.Imports {
			if !slices.ContainsFunc(list, func(o listed) bool { return o.ImportPath == path }) {
				paths = append(paths, path)
			}
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// compiled returns an importer of packages that the compiler has been through.
func (p *program) compiled(paths []string) (types.Importer, error) {
	args := []string{"-export", "-deps"}
	if race { // the tests of the module need them in this form as well
		args = append(args, "-race")
	}
	list, err := goList(append(args, paths...)...)
	if err != nil {
		return nil, err
	}
	exports := make(map[string]string)
	for _, l := range list {
		exports[l.ImportPath] = l.Export
	}
	return importer.ForCompiler(p.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }), nil
}

func goList(args ...string) (list []listed, err error) {
	args = append([]string{"list", "-json=ImportPath,Dir,Export,GoFiles,Imports,Module"}, args...)
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
