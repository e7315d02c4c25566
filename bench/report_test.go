package main

import (
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/bench/target"
	"github.com/caddy-realtime/caddy-realtime/bench/workload"
)

// figures are rounds of one figure.
func figures(name string, values ...float64) (all []workload.Figures) {
	for _, v := range values {
		all = append(all, workload.Figures{name: v})
	}
	return all
}

func TestBars(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		row        row
		ours, peer []workload.Figures
		want       string // of the bar and whether it is passed
	}{
		{"no bar", row{figure: "x"}, figures("x", 1), figures("x", 1), " | "},
		{"below", row{figure: "x", ratio: 1}, figures("x", 9, 9), figures("x", 10, 10), "≤ 1 × p | yes"},
		{"interval reaches it", row{figure: "x", ratio: 1}, figures("x", 9, 30), figures("x", 10, 10), "≤ 1 × p | yes"},
		{"above", row{figure: "x", ratio: 1}, figures("x", 11, 30), figures("x", 10, 10), "≤ 1 × p | **no**"},
		{"itself", row{figure: "x", absolute: 5}, figures("x", 5, 6), figures("x", 1, 1), "≤ 5 | yes"},
		{"itself, above", row{figure: "x", absolute: 5}, figures("x", 6, 6), nil, "≤ 5 | **no**"},
		{"lost", row{figure: "x", absolute: 5}, []workload.Figures{{"x": 1, workload.Lost: 1}}, nil, "≤ 5 | **no**"},
	} {
		r := result{pair: pair{rows: []row{test.row}}, ours: test.ours, peer: test.peer}
		if test.peer != nil {
			r.pair.peer = &target.Target{Name: "p"}
		}
		var text strings.Builder
		table(&text, r.lines())
		if last := text.String()[strings.Index(text.String(), "---|\n")+5:]; !strings.Contains(last, "| "+test.want+" |") {
			t.Errorf("%s: %q lacks %q", test.name, last, test.want)
		}
	}
}

// A pair of which every round failed has no figures, not figures of 0.
func TestFailedPairHasNoFigures(t *testing.T) {
	t.Parallel()
	r := result{pair: pair{rows: []row{{figure: "x", absolute: 5}}}}
	if lines := r.lines(); len(lines) > 0 {
		t.Errorf("lines %v", lines)
	}
}

func TestEveryRowHasWorkloadAndEveryWorkloadRow(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for _, r := range rows {
		if _, ok := workload.Find(r.workload); !ok {
			t.Errorf("no workload %s", r.workload)
		}
		seen[r.workload] = true
	}
	for _, w := range workload.All {
		if !seen[w.Name] {
			t.Errorf("no row shows %s", w.Name)
		}
	}
}

// Another peer has no bar that was meant for the usual one, and no figure is shown twice.
func TestGroupsWithAnotherPeer(t *testing.T) {
	t.Parallel()
	chosen, err := choose("saturated")
	if err != nil {
		t.Fatal(err)
	}
	usual := groups(chosen, (&options{}).peerFor)
	if len(usual) != 2 || usual[0][0].ratio == 0 || usual[0][0].peer == usual[1][0].peer {
		t.Errorf("%+v", usual)
	}
	one := groups(chosen, (&options{rev: "main"}).peerFor)
	if len(one) != 1 || len(one[0]) != 2 || one[0][0].ratio != 0 || one[0][0].peer != revisionPeer {
		t.Errorf("%+v", one)
	}
	if _, err := choose("fanout,nothing"); err == nil || !strings.Contains(err.Error(), "unknown workload 'nothing'") {
		t.Error(err)
	}
}
