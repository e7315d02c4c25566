package main

import (
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
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

// longEnough is the factor between the second that the profile takes and the time that gremlins gives a mutant.
// The limits of schema.run are those that count.
const longEnough = 1800

// standIn does what gremlins asks of the go command. In place of a profile of lines it writes which operators
// the tests reach: the go command does not measure the conditions of the cases of a switch, nor constants, and
// gremlins would leave out the mutants there.
func standIn(args []string) int {
	command := strings.Join(args[:min(2, len(args))], " ")
	if command == "mod download" {
		return 0 // the binary was built, so all modules are there
	}
	if at := slices.Index(args, "-coverprofile"); at > 0 && at+1 < len(args) {
		time.Sleep(time.Second)
		if err := writeProfile(args[at+1]); err != nil {
			fmt.Fprintln(os.Stderr, "mutants:", err)
			return 3
		}
		return 0
	}
	if args[0] == "test" {
		if mutant := find(); mutant != nil {
			return mutant.try()
		}
		fmt.Fprintln(os.Stderr, "mutants: gremlins tests a mutant that is not here")
		return codeNotViable
	}
	cmd := exec.Command(os.Getenv(realGo), args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode()
	case err != nil:
		fmt.Fprintln(os.Stderr, "mutants:", err)
		return 3
	}
	return 0
}

// writeProfile writes a profile with a block for each operator that tests reach. Those of constants, which have
// no switch, count as reached.
func writeProfile(path string) error {
	s, err := readSchema()
	if err != nil {
		return err
	}
	text := "mode: set\n"
	for name, sites := range s.Sites {
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, filepath.Join(s.Folder, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for n, o := range operators(tree) {
			if site, ok := sites[n]; ok && len(s.Reached[site]) == 0 {
				continue
			}
			at := set.Position(o.at)
			text += fmt.Sprintf("%s/%s:%d.%d,%d.%d 1 1\n", s.ImportPath, name, at.Line, at.Column, at.Line, at.Column+1)
		}
	}
	return os.WriteFile(path, []byte(text), 0o600)
}
