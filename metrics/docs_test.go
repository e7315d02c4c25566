package metrics

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-realtime/caddy-realtime/node"
)

// row is how the documentation describes a metric.
func (m *metric) row() string {
	kind := "counter"
	switch {
	case m.histogram:
		kind = "histogram"
	case m.kind == prometheus.GaugeValue:
		kind = "gauge"
	}
	labels := ""
	for _, l := range m.labels {
		labels += ", `" + l + "`"
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s |", m.name, kind, strings.TrimPrefix(labels, ", "), m.help)
}

// Each metric has its row in the documentation, and no other one has.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range table {
		if !strings.Contains(string(text), m.row()+"\n") {
			t.Errorf("docs/metrics.md lacks\n%s", m.row())
		}
	}
	if n := len(regexp.MustCompile("(?m)^\\| `[a-z_]+` \\| (counter|gauge|histogram) ").FindAll(text, -1)); n != len(table) {
		t.Errorf("docs/metrics.md has %d metrics, not %d", n, len(table))
	}
}

// name finds the metrics in an expression.
var name = regexp.MustCompile(`\bcaddy_realtime_[a-z_]+`)

// checkNames fails for names that no metric has.
func checkNames(t *testing.T, where, expression string) {
	t.Helper()
	known := make(map[string]bool)
	for _, m := range table {
		known[prefix+m.name] = !m.histogram
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			known[prefix+m.name+suffix] = m.histogram
		}
	}
	found := name.FindAllString(expression, -1)
	if len(found) == 0 {
		t.Errorf("%s asks for none of our metrics: %s", where, expression)
	}
	for _, n := range found {
		if !known[n] {
			t.Errorf("%s: there is no %s", where, n)
		}
	}
}

// The dashboard asks for metrics that exist.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile("../docs/grafana-dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	queries := 0
	for _, p := range board.Panels {
		for _, q := range p.Targets {
			queries++
			checkNames(t, p.Title, q.Expr)
		}
	}
	if queries < 20 {
		t.Errorf("only %d queries", queries)
	}
}

// The alerts ask for metrics that exist.
func TestAlerts(t *testing.T) {
	text, err := os.ReadFile("../docs/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	exprs := regexp.MustCompile(`(?m)^ *expr: (.*)$`).FindAllStringSubmatch(string(text), -1)
	if len(exprs) < 5 {
		t.Errorf("only %d alerts", len(exprs))
	}
	for _, e := range exprs {
		checkNames(t, "docs/alerts.yml", e[1])
	}
}

// A label is a word of the server or a name of the configuration.
func TestLabels(t *testing.T) {
	for _, m := range table {
		for _, l := range m.labels {
			switch l {
			case "channel", "room", "user", "address", "connection":
				t.Errorf("%s has the label %s, of which there is no bound", m.name, l)
			}
		}
	}
}

// A hub that was never started has no figures, and does not break those of the others.
func TestNotStarted(t *testing.T) {
	r := prometheus.NewPedanticRegistry()
	c := New(func() map[string]*node.Node {
		return map[string]*node.Node{"a": node.New(func() bool { return false })}
	})
	if err := r.Register(c); err != nil {
		t.Fatal(err)
	}
	got, err := r.Gather()
	if err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}
