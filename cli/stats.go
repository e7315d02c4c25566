package cli

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

func statsCommand(t *tool) *cobra.Command {
	c := &cobra.Command{
		Use:     "stats",
		Short:   "Show the counters of the hub and the state of its nodes",
		Example: "  caddy realtime stats --hub chat",
		Args:    arguments(0, 0),
	}
	c.RunE = t.run(func(ctx context.Context, out *printer, _ []string) error {
		s, err := t.site()
		if err != nil {
			return err
		}
		v, raw, err := get[stats](ctx, s, "/stats")
		switch {
		case err != nil:
			return err
		case out.json:
			return out.raw(raw)
		}
		v.show(out)
		return nil
	})
	return c
}

// stats is the answer to GET /stats.
type stats struct {
	reach
	Gauges   map[string]float64 `json:"gauges"`
	Counters map[string]float64 `json:"counters"`
	ByNode   []struct {
		Node    string             `json:"node"`
		Host    string             `json:"host"`
		Started moment             `json:"started"`
		Ready   bool               `json:"ready"`
		Reasons []string           `json:"reasons"`
		Gauges  map[string]float64 `json:"gauges"`
	} `json:"byNode"`
}

func (s stats) show(out *printer) {
	var rows [][]string
	for _, n := range s.ByNode {
		state := "ready"
		if !n.Ready {
			state = "not ready: " + plain(strings.Join(n.Reasons, "; "))
		}
		rows = append(rows, []string{plain(n.Node), plain(n.Host), n.Started.ago(), number(n.Gauges["connections"]), state})
	}
	out.table("NODE HOST AGE CONNECTIONS STATE", rows)
	rows = nil
	for _, values := range []map[string]float64{s.Gauges, s.Counters} {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			rows = append(rows, []string{plain(strings.ReplaceAll(name, "_", " ")), number(values[name])})
		}
	}
	out.line("")
	out.table("WHAT NUMBER", rows)
	s.warn(out)
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
