package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/cover"
)

// realGo names the variable with the go command that this program stands before.
const realGo = "MUTANTS_GO"

// standBefore returns an environment in which `go` is this program.
func standBefore(work string) ([]string, error) {
	real, err := exec.LookPath("go")
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(work, "bin")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, err
	}
	if err := os.Symlink(self, filepath.Join(folder, "go")); err != nil {
		return nil, err
	}
	return append(os.Environ(), realGo+"="+real, "PATH="+folder+string(filepath.ListSeparator)+os.Getenv("PATH")), nil
}

// standIn runs the go command, and completes a profile that it writes. A profile comes from a real run and
// not from the cache, because gremlins takes its time as the time of the tests.
func standIn(args []string) int {
	at := slices.Index(args, "-coverprofile")
	switch {
	case at > 0:
		args = slices.Insert(slices.Clone(args), at, "-count=1")
	case len(args) > 0 && args[0] == "test":
		// What vet finds is not found by a test. To link without tables for debuggers is faster.
		args = slices.Insert(slices.Clone(args), 1, "-vet=off", "-ldflags=-s -w")
	}
	var mutant *found
	if at < 0 && len(args) > 0 && args[0] == "test" {
		if mutant = find(); mutant != nil {
			if code, done := mutant.try(); done {
				return code
			}
		}
	}
	var out bytes.Buffer
	cmd := exec.Command(os.Getenv(realGo), args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, io.MultiWriter(os.Stdout, &out), os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && buildFailed.Match(out.Bytes()):
		return codeNotViable // the go command has the same code as for a test that fails
	case errors.As(err, &exit):
		if mutant != nil && exit.ExitCode() == codeKilled {
			note(mutant.schema.Killed, mutant.key)
		}
		return exit.ExitCode()
	case err != nil:
		fmt.Fprintln(os.Stderr, "mutants:", err)
		return 3
	case at > 0:
		if err := complete(args[at+2]); err != nil {
			fmt.Fprintln(os.Stderr, "mutants:", err)
			return 3
		}
	}
	return 0
}

// complete adds the conditions of cases and the expressions of constants and variables to a profile. A case
// counts as reached if its switch is: a later case may not be, and then a mutant there lives.
func complete(path string) error {
	profiles, err := cover.ParseProfiles(path)
	if err != nil {
		return err
	}
	module, err := exec.Command(os.Getenv(realGo), "list", "-m").Output()
	if err != nil {
		return err
	}
	root, err := exec.Command(os.Getenv(realGo), "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return err
	}
	var more bytes.Buffer
	folders := make(map[string]bool)
	for _, p := range profiles {
		name := strings.TrimPrefix(p.FileName, strings.TrimSpace(string(module))+"/")
		file := filepath.Join(strings.TrimSpace(string(root)), name)
		if err := completeFile(&more, p, file); err != nil {
			return err
		}
		folders[filepath.Dir(file)+"\x00"+filepath.ToSlash(filepath.Dir(p.FileName))] = true
	}
	if err := declarationsOf(&more, folders, profiles); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(more.Bytes())
	return errors.Join(err, f.Close())
}

// declarationsOf completes files that the profile does not have, because they have no statement.
func declarationsOf(more *bytes.Buffer, folders map[string]bool, profiles []*cover.Profile) error {
	has := make(map[string]bool)
	for _, p := range profiles {
		has[p.FileName] = true
	}
	for f := range folders {
		folder, name, _ := strings.Cut(f, "\x00")
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			return err
		}
		for _, file := range files {
			as := name + "/" + filepath.Base(file)
			if !has[as] && !strings.HasSuffix(file, "_test.go") {
				if err := completeFile(more, &cover.Profile{FileName: as}, file); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func completeFile(more *bytes.Buffer, p *cover.Profile, file string) error {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	add := func(n ast.Node) {
		from, to := set.Position(n.Pos()), set.Position(n.End())
		fmt.Fprintf(more, "%s:%d.%d,%d.%d 1 1\n", p.FileName, from.Line, from.Column, to.Line, to.Column)
	}
	for _, d := range tree.Decls {
		if g, ok := d.(*ast.GenDecl); ok && (g.Tok == token.CONST || g.Tok == token.VAR) {
			add(g)
		}
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		var body *ast.BlockStmt
		switch s := n.(type) {
		case *ast.SwitchStmt:
			body = s.Body
		case *ast.GenDecl:
			if s.Tok == token.CONST {
				add(s) // also inside of a function
			}
			return true
		default:
			return true
		}
		if !reached(p, set.Position(n.Pos())) {
			return true
		}
		for _, c := range body.List {
			for _, e := range c.(*ast.CaseClause).List {
				add(e)
			}
		}
		return true
	})
	return nil
}

// reached reports whether the tests run the statement at a position.
func reached(p *cover.Profile, at token.Position) bool {
	for _, b := range p.Blocks {
		after := at.Line > b.StartLine || at.Line == b.StartLine && at.Column >= b.StartCol
		before := at.Line < b.EndLine || at.Line == b.EndLine && at.Column < b.EndCol
		if after && before && b.Count > 0 {
			return true
		}
	}
	return false
}
