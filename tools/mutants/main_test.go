package main

import (
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
