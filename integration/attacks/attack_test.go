package attacks

import (
	"fmt"
	"strings"
	"testing"
	"text/tabwriter"
)

// attack is a row of the table.
type attack struct {
	name   string
	expect string
	// try says what happened: the words of expect, and maybe figures behind it in
	// parentheses, or other words.
	try func(t *testing.T) string
}

// expected reports whether what happened is what should. Figures may follow in parentheses.
func (a attack) expected(happened string) bool {
	return happened == a.expect || strings.HasPrefix(happened, a.expect+" (")
}

// atOnce runs attacks side by side, as one row.
func atOnce(t *testing.T, attacks []attack) string {
	happened := make([]string, len(attacks))
	t.Run("all", func(t *testing.T) {
		for i, a := range attacks {
			t.Run(a.name, func(t *testing.T) {
				t.Parallel()
				happened[i] = a.try(t)
			})
		}
	})
	for i, a := range attacks {
		if !a.expected(happened[i]) {
			return fmt.Sprintf("%s: %s", a.name, happened[i])
		}
	}
	return "each as expected (" + strings.Join(happened, "; ") + ")"
}

// groups are the attacks, by what they are aimed at. Those that need much of the
// machine come last.
var groups = []struct {
	name    string
	attacks func(*world) []attack
}{
	{"origin", attackOrigins},
	{"key", attackKeys},
	{"identity", attackIdentity},
	{"token", attackTokens},
	{"authorize", attackAuthorize},
	{"order", attackOrders},
	{"channel", attackChannels},
	{"presence", attackPresence},
	{"direct", attackDirect},
	{"path", attackPaths},
	{"log", attackLogs},
	{"stream", attackStreams},
	{"body", attackBodies},
	{"schema", attackSchemas},
	{"frame", attackFrames},
	{"repeat", attackKeysOfOthers},
	{"decoder", attackDecoders},
	{"handshake", attackHandshakes},
	{"admission", attackAdmission},
	{"limit", attackLimits},
	{"memory", attackMemory},
	{"leftover", attackLeftovers},
	{"crowd", attackCrowds},
	{"document", attackDocuments},
	{"http", attackHTTP},
	{"h3", attackHTTP3},
	{"flood", attackNeighbours},
	{"afterwards", afterwards},
}

func TestAttacks(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	done := table{gauge: w.gauge}
	for _, group := range groups {
		for _, a := range group.attacks(w) {
			a.name = group.name + ": " + a.name
			t.Run(a.name, func(t *testing.T) { done.run(t, a) })
		}
	}
	fmt.Fprint(t.Output(), done.String())
}

// table is what came of the attacks.
type table struct {
	gauge *gauge
	rows  []row
}

type row struct {
	attack
	happened string
	cost     cost
	ok       bool
}

// run makes a row. It fails when something else happens than is expected, and when
// it costs more than it may.
func (l *table) run(t *testing.T, a attack) {
	r := row{attack: a, happened: "the test itself failed"}
	defer func() { l.rows = append(l.rows, r) }()
	l.gauge.begin()
	r.happened = a.try(t)
	r.cost = l.gauge.end()
	r.ok = a.expected(r.happened)
	if !r.ok {
		t.Errorf("expected: %s\nhappened: %s", a.expect, r.happened)
	}
	if beyond := r.cost.beyond(l.gauge.allowed.orUsual()); beyond != "" {
		r.ok = false
		t.Error(beyond)
	}
}

func (l *table) String() string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 1, ' ', tabwriter.Debug)
	fmt.Fprintln(w, "attack\t expected\t what happened\t RSS peak\t RSS kept\t CPU\t p50\t p99\t p99 elsewhere\t ok")
	good := 0
	for _, r := range l.rows {
		verdict := "NO"
		if r.ok {
			verdict = "yes"
			good++
		}
		fmt.Fprintf(w, "%s\t %s\t %s\t %s\t %s\n", r.name, r.expect, r.happened, r.cost.columns(), verdict)
	}
	_ = w.Flush() // into memory
	fmt.Fprintf(&text, "%d of %d as expected\n", good, len(l.rows))
	return text.String()
}
