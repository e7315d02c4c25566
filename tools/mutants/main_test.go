package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A run that has tried no mutant has shown nothing.
func TestConclude(t *testing.T) {
	for name, c := range map[string]struct {
		row  row
		want string
	}{
		"good":          {row{killed: 95, lived: 5}, ""},
		"nothing tried": {row{left: 500}, "500 mutants were not tried"},
		"too few die":   {row{killed: 94, lived: 6}, "kill 94.0 %"},
		"not reached":   {row{killed: 8, uncovered: 2}, "reach 80.0 %"},
		"no reason":     {row{killed: 95, without: []mutant{{file: "hub/a.go", Line: 7}}}, "hub/a.go:7"},
	} {
		err := conclude([]row{c.row}, reasons{})
		if err == nil && c.want != "" || err != nil && (c.want == "" || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A reason is for one mutant, or for as many as it says.
func TestReasons(t *testing.T) {
	file := filepath.Join(t.TempDir(), "survivors.txt")
	text := "hub/a.go | X | a < b\n  It is so.\n2 × hub/a.go | X | c < d\n  It is so.\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	known, err := readReasons(file)
	if err != nil {
		t.Fatal(err)
	}
	lived := func(text string) mutant { return mutant{file: "hub/a.go", Type: "X", text: text} }
	r := row{without: []mutant{lived("a < b"), lived("a < b"), lived("c < d"), lived("e < f")}}
	r.judge(known)
	if len(r.without) != 2 || r.without[0].text != "a < b" || r.without[1].text != "e < f" {
		t.Errorf("without a reason are %v", r.without)
	}
	if keys := known.unused("hub"); len(keys) != 1 || !strings.HasSuffix(keys[0], "c < d") {
		t.Errorf("not needed are %v", keys)
	}
	if err := os.WriteFile(file, []byte(text+text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readReasons(file); err == nil {
		t.Error("a second reason for the same mutant is accepted")
	}
}

// Only a test that fails again has noticed a mutant. One that fails by chance does not hide another one.
func TestChance(t *testing.T) {
	for _, c := range []struct {
		name, a, b string // when the tests fail, in Python
		want       int
		chance     bool
	}{
		{"never", "False", "False", codeLived, false},
		{"both", "True", "True", codeKilled, false},
		{"one", "False", "True", codeKilled, false},
		{"by chance", "n == 1", "False", codeLived, true},
		{"behind one by chance", "n % 2", "True", codeKilled, true},
	} {
		dir := t.TempDir()
		binary := filepath.Join(dir, "tests")
		script := `#!/usr/bin/env python3
import sys
names = sys.argv[sys.argv.index('-test.run') + 1]
open('n', 'a').write('.')
n = len(open('n').read())
for name, fails in ('TestA', ` + c.a + `), ('TestB', ` + c.b + `):
  if name in names and fails:
    print(f'--- FAIL: {name} (0.00s)')
    sys.exit(1)
`
		if err := os.WriteFile(binary, []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
		s := &schema{Binary: binary, Folder: dir, Chance: filepath.Join(dir, "chance"), Tests: map[string]cost{"TestA": {}, "TestB": {}}}
		code, timed := s.run([]string{"TestA", "TestB"})
		if code != c.want || timed {
			t.Errorf("%s: the code is %d, timed out is %v", c.name, code, timed)
		}
		if chance := linesOf(s.Chance); len(chance) > 0 != c.chance {
			t.Errorf("%s: %v failed by chance", c.name, chance)
		}
	}
}
