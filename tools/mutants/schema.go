package main

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
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
	"regexp"
	"strconv"
	"strings"
)

//go:embed switches.go.tmpl
var switches string

// schema is a test binary with all mutants of a package, of which an environment variable chooses one. To
// build each mutant costs many times what its tests cost.
type schema struct {
	ImportPath string
	Folder     string // of the package, absolute
	Binary     string
	Hash       string // of Binary: what a mutant comes to depends on the package, its tests and all that they import
	Timed      string // the file that takes the mutants whose tests did not end
	Chance     string // the file that takes the tests that failed with a mutant, and did not when they ran once more
	// Sites are the operators of each file that have a switch. JoinsText are those whose mutant does not compile.
	Sites     map[string]map[int]int
	JoinsText map[string]map[int]bool
	Tests     map[string]cost
	Reached   map[int][]string // the tests that come by a site
	Patience  int
	Constants bool   // their mutants are tested as well
	Killed    string // the file that takes the mutants that were killed, and lists those of earlier runs
}

// cost is what a test takes without a mutant, in seconds: of the clock, and of a processor.
type cost struct{ Wall, CPU float64 }

// listed is what go list says of a package.
type listed struct {
	ImportPath, Dir, Name, Export string
	GoFiles                       []string
}

// builder writes the files of a schema.
type builder struct {
	work, rel string
	env       []string
	pkg       listed
	exports   map[string]string
	set       *token.FileSet
	files     []*ast.File
	sources   []string
	info      *types.Info
	own       *types.Package
	without   map[string]bool // file:line whose switches do not compile
}

// newSchema builds the binary for a package, and asks it which test comes by which operator.
func newSchema(work, rel string, patience int) (*schema, error) {
	b := &builder{work: filepath.Join(work, strings.ReplaceAll(rel, "/", "-")), rel: rel, without: make(map[string]bool)}
	if err := os.Mkdir(b.work, 0o700); err != nil {
		return nil, err
	}
	if err := b.list(); err != nil {
		return nil, err
	}
	if err := b.check(); err != nil {
		return nil, err
	}
	s := &schema{ImportPath: b.pkg.ImportPath, Folder: b.pkg.Dir, Binary: filepath.Join(b.work, "tests"), Timed: filepath.Join(b.work, "timed"), Chance: filepath.Join(b.work, "chance"), Patience: patience}
	for {
		overlay, err := b.write(s)
		if err != nil {
			return nil, err
		}
		out, err := exec.Command("go", "test", "-c", "-vet=off", "-trimpath", "-ldflags=-s -w -buildid=", "-gcflags=-e", "-overlay", overlay, "-o", s.Binary, "./"+rel).CombinedOutput()
		if err == nil {
			break
		}
		if !b.drop(out) {
			return nil, fmt.Errorf("the binary with all mutants: %w\n%s", err, out)
		}
	}
	binary, err := os.ReadFile(s.Binary)
	if err != nil {
		return nil, err
	}
	s.Hash = fmt.Sprintf("%x", sha256.Sum256(binary))
	if err := s.measure(b.work); err != nil {
		return nil, err
	}
	return s, nil
}

// list asks the go command for the package and for the compiled packages that it imports.
func (b *builder) list() error {
	cmd := exec.Command("go", "list", "-deps", "-export", "-json=ImportPath,Dir,Name,Export,GoFiles", "./"+b.rel)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return err
	}
	b.exports = make(map[string]string)
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		b.exports[p.ImportPath], b.pkg = p.Export, p // the package itself comes last
	}
}

// check finds the types of the expressions.
func (b *builder) check() error {
	b.set = token.NewFileSet()
	for _, name := range b.pkg.GoFiles {
		source, err := os.ReadFile(filepath.Join(b.pkg.Dir, name))
		if err != nil {
			return err
		}
		tree, err := parser.ParseFile(b.set, filepath.Join(b.pkg.Dir, name), source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		b.files, b.sources = append(b.files, tree), append(b.sources, string(source))
	}
	b.info = &types.Info{Types: make(map[ast.Expr]types.TypeAndValue), Implicits: make(map[ast.Node]types.Object)}
	conf := types.Config{Importer: importer.ForCompiler(b.set, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(b.exports[path])
	})}
	var err error
	b.own, err = conf.Check(b.pkg.ImportPath, b.set, b.files, b.info)
	return err
}

// write writes the files with switches, and an overlay that puts them in the place of the package's files.
func (b *builder) write(s *schema) (string, error) {
	s.Sites, s.JoinsText = make(map[string]map[int]int), make(map[string]map[int]bool)
	replace := make(map[string]string)
	site := 0
	for i, tree := range b.files {
		name := b.pkg.GoFiles[i]
		s.Sites[name], s.JoinsText[name] = make(map[int]int), make(map[int]bool)
		w := &rewriter{set: b.set, info: b.info, own: b.own, names: namesOf(tree)}
		for n, o := range operators(tree) {
			if w.joinsText(o) {
				s.JoinsText[name][n] = true
				continue
			}
			if !b.without[fmt.Sprintf("%s:%d", name, b.set.Position(o.at).Line)] && w.rewrite(o, site) {
				s.Sites[name][n] = site
				site++
			}
		}
		if err := b.replace(replace, name, w.apply(b.sources[i])); err != nil {
			return "", err
		}
	}
	helpers := strings.Replace(switches, "PACKAGE", b.pkg.Name, 1)
	helpers += fmt.Sprintf("\nconst mutantSites, tokenLSS, tokenLEQ, tokenGTR, tokenADD, tokenMUL = %d, %d, %d, %d, %d, %d\n",
		site+1, token.LSS, token.LEQ, token.GTR, token.ADD, token.MUL)
	if err := b.replace(replace, "mutant_switches.go", helpers); err != nil {
		return "", err
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(b.work, "overlay.json")
	return overlay, os.WriteFile(overlay, data, 0o600)
}

func (b *builder) replace(overlay map[string]string, name, text string) error {
	path := filepath.Join(b.work, name)
	overlay[filepath.Join(b.pkg.Dir, name)] = path
	return os.WriteFile(path, []byte(text), 0o600)
}

// namesOf returns by which name a file knows each package.
func namesOf(tree *ast.File) map[string]string {
	names := make(map[string]string)
	for _, i := range tree.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			continue
		}
		if names[path] = path[strings.LastIndex(path, "/")+1:]; i.Name != nil {
			names[path] = i.Name.Name
		}
	}
	return names
}

var inFile = regexp.MustCompile(`(?m)([^/\s:]+\.go):(\d+):\d+: `)

// drop leaves out the lines that did not compile, such as constants whose value the compiler needs. It returns
// false if there is no new one.
func (b *builder) drop(out []byte) bool {
	found := false
	for _, m := range inFile.FindAllSubmatch(out, -1) {
		at := string(m[1]) + ":" + string(m[2])
		found = found || !b.without[at]
		b.without[at] = true
	}
	return found
}
