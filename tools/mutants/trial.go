package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The variable with the path of the schema, and the codes by which gremlins knows a result.
const (
	schemaFile = "MUTANTS_SCHEMA"

	codeLived     = 0
	codeKilled    = 1
	codeNotViable = 2
)

// measure runs each test once, for its time and for the operators that it comes by.
func (s *schema) measure(work string) error {
	s.Tests, s.Reached = make(map[string]cost), make(map[int][]string)
	cmd := exec.Command(s.Binary, "-test.list", ".")
	cmd.Dir = s.Folder
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("the list of the tests: %w", err)
	}
	record := filepath.Join(work, "record")
	for _, name := range strings.Fields(string(out)) {
		if strings.HasPrefix(name, "Benchmark") {
			continue
		}
		started := time.Now()
		cmd := s.tests(context.Background(), []string{name}, 10*time.Minute, 600, "MUTANT_RECORD="+record)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s fails without a mutant: %w\n%s", name, err, out)
		}
		cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		s.Tests[name] = cost{time.Since(started).Seconds(), cpu.Seconds()}
		data, err := os.ReadFile(record)
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		for _, line := range strings.Fields(string(data)) {
			site, err := strconv.Atoi(line)
			if err != nil {
				return err
			}
			s.Reached[site] = append(s.Reached[site], name)
		}
		if err := os.Remove(record); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// startCPU returns what it costs to start the binary, which each test was measured with.
func (s *schema) startCPU() float64 {
	least := math.Inf(1)
	for _, c := range s.Tests {
		least = min(least, c.CPU)
	}
	return least
}

// tests returns the command that runs tests of the binary. A mutant may take all memory, or never end, so it
// gets limits. That of the processor's time does not depend on what else the machine does.
func (s *schema) tests(ctx context.Context, names []string, limit time.Duration, cpu int, env ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "sh", "-c", `ulimit -v 8000000; ulimit -t "$0"; exec "$@"`, strconv.Itoa(cpu), s.Binary,
		"-test.run", "^("+strings.Join(names, "|")+")$", "-test.failfast", "-test.timeout", limit.String())
	cmd.Dir, cmd.Env = s.Folder, append(os.Environ(), env...)
	return cmd
}

// run runs tests with a mutant: first the fast ones, then the others.
func (s *schema) run(names []string, env ...string) (code int, timed bool) {
	names = slices.Clone(names)
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(s.Tests[a].CPU, s.Tests[b].CPU) })
	slow := slices.IndexFunc(names, func(name string) bool { return s.Tests[name].CPU > 0.5 })
	groups := [][]string{names}
	if slow > 0 {
		groups = [][]string{names[:slow], names[slow:]}
	}
	if len(names) == 0 {
		return codeLived, false
	}
	for _, group := range groups {
		if code, timed := s.confirm(group, env); code != codeLived {
			return code, timed
		}
	}
	return codeLived, false
}

// confirm runs tests, and those that fail once more. A test that fails now and then, whatever it tests, has not noticed
// the mutant, and the others have to.
func (s *schema) confirm(names, env []string) (code int, timed bool) {
	for len(names) > 0 {
		code, timed, failed := s.once(names, env)
		if code == codeLived || timed {
			return code, timed
		}
		if len(failed) == 0 {
			failed = names // they crashed
		}
		if code, timed, _ := s.once(failed, env); code != codeLived {
			return code, timed
		}
		note(s.Chance, strings.Join(failed, ","))
		names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(failed, name) })
	}
	return codeLived, false
}

// failedTest has the name of a test in what a test binary prints.
var failedTest = regexp.MustCompile(`(?m)^--- FAIL: (\w+)`)

// once runs tests, and returns the names of those that failed.
func (s *schema) once(names, env []string) (code int, timed bool, failed []string) {
	limit, longest, cpu := 30*time.Second, 0.0, 3.0
	for _, name := range names {
		limit += time.Duration(float64(s.Patience) * s.Tests[name].Wall * float64(time.Second))
		longest = max(longest, s.Tests[name].Wall)
		cpu += 3 * (s.Tests[name].CPU - s.startCPU())
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit+10*time.Second)
	defer cancel()
	out, err := outputOf(ctx, s.tests(ctx, names, limit, int(cpu), env...), stalledAfter+time.Duration(longest*float64(time.Second)))
	if err == nil {
		return codeLived, false, nil
	}
	for _, match := range failedTest.FindAllSubmatch(out, -1) {
		failed = append(failed, string(match[1]))
	}
	stuck := ctx.Err() != nil || bytes.Contains(out, []byte("panic: test timed out after")) || bytes.Contains(out, []byte("SIGXCPU")) ||
		strings.Contains(err.Error(), "signal: ")
	return codeKilled, stuck, failed
}

// found is the mutant that gremlins wrote into this folder.
type found struct {
	schema   *schema
	name     string // of the file
	index    int    // of the operator
	from, to token.Token
	at       token.Position
	key      string // the same in a later run, as long as the binary with all mutants is the same
}

// find compares this folder with the package. It returns nil if gremlins wrote no mutant here.
func find() *found {
	s, err := readSchema()
	if err != nil {
		return nil
	}
	for name := range s.Sites {
		original, set, err := compare(filepath.Join(s.Folder, name), name)
		if err != nil || original == nil {
			continue
		}
		mutated, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil
		}
		n, to := changed(original, mutated)
		if n < 0 {
			continue
		}
		o := operators(original)[n]
		key := fmt.Sprintf("%s:%s:%d:%s", s.Hash, name, n, to)
		return &found{s, name, n, o.token, to, set.Position(o.at), key}
	}
	return nil
}

func readSchema() (*schema, error) {
	s := new(schema)
	data, err := os.ReadFile(os.Getenv(schemaFile))
	if err == nil {
		err = json.Unmarshal(data, s)
	}
	return s, err
}

// try runs the tests with the mutant and returns the code of its result.
func (f *found) try() int {
	s := f.schema
	if s.JoinsText[f.name][f.index] {
		return codeNotViable
	}
	earlier := linesOf(s.Killed)
	if slices.Contains(earlier, f.key) {
		return codeKilled
	}
	code, timed := codeKilled, slices.Contains(earlier, f.key+":timed")
	if !timed {
		code, timed = f.run()
	}
	switch {
	case timed:
		note(s.Timed, timedKey(f.name, f.at.Line, f.at.Column, isBoundary(f.from, f.to)))
		note(s.Killed, f.key+":timed")
	case code == codeKilled:
		note(s.Killed, f.key)
	}
	return code
}

// run runs the mutant in the binary of the schema. A mutant of a constant is not in there: it gets a binary of
// its own, and all tests.
func (f *found) run() (code int, timed bool) {
	if site, ok := f.schema.Sites[f.name][f.index]; ok {
		return f.schema.run(f.schema.Reached[site], fmt.Sprint("MUTANT_SITE=", site), fmt.Sprint("MUTANT_TOKEN=", int(f.to)))
	}
	if !f.schema.Constants {
		return codeNotViable, false
	}
	own := *f.schema
	own.Binary += "-constant"
	// What vet finds is not found by a test. To link without tables for debuggers is faster.
	if err := exec.Command(os.Getenv(realGo), "test", "-c", "-vet=off", "-ldflags=-s -w", "-o", own.Binary, ".").Run(); err != nil {
		return codeNotViable, false
	}
	return own.run(slices.Collect(maps.Keys(own.Tests)))
}

// compare returns the file of the package if the one in this folder differs.
func compare(path, name string) (*ast.File, *token.FileSet, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	here, err := os.ReadFile(name)
	if err != nil || bytes.Equal(source, here) {
		return nil, nil, err
	}
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, path, source, parser.SkipObjectResolution)
	return tree, set, err
}

func timedKey(name string, line, column int, boundary bool) string {
	return fmt.Sprintf("%s:%d:%d:%v", name, line, column, boundary)
}

// note adds a line to a file, if there is one.
func note(path, line string) {
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(line + "\n")
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
	}
}

// linesOf returns the lines of a file that may not be there.
func linesOf(path string) []string {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return strings.Fields(string(data))
}

// save writes the schema for the processes that stand before the go command.
func (s *schema) save(work string) (string, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	path := filepath.Join(work, "schema-"+filepath.Base(s.Folder)+".json")
	return path, os.WriteFile(path, data, 0o600)
}
