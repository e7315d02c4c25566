// Command bench measures this server beside others, with the same clients for all:
//
//	make bench
//	make bench BENCH_ONLY=fanout,rooms BENCH_ROUNDS=10
//	make bench-compare REV=main BENCH_ONLY=fanout
//
// README.md explains the table.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/caddy-realtime/caddy-realtime/bench/workload"
)

// options are the flags.
type options struct {
	only, peer, rev, profile, json string
	rounds                         int
	size                           workload.Size
}

func main() {
	if served() {
		os.Exit(1)
	}
	o := options{size: workload.Full}
	flag.StringVar(&o.only, "only", "", "the workloads to run, separated by commas; all if empty: "+names())
	flag.StringVar(&o.peer, "peer", "", "the server to compare with instead of the usual one: nchan, hub, floor, net/http, caddy, plain or none")
	flag.StringVar(&o.rev, "rev", "", "a revision of this repository to compare with")
	flag.StringVar(&o.profile, "profile", "", "a folder for profiles of this server, in the format of pprof")
	flag.StringVar(&o.json, "json", "", "a file for the results in JSON")
	flag.IntVar(&o.rounds, "rounds", 5, "how often each pair runs")
	flag.IntVar(&o.size.Idle, "idle", o.size.Idle, "how many connections are idle")
	flag.DurationVar(&o.size.Time, "time", o.size.Time, "how long each measurement takes")
	flag.DurationVar(&o.size.Rest, "rest", o.size.Rest, "how long idle connections rest before memory is measured")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, &o); err != nil {
		fmt.Fprintln(os.Stderr, "\nbench:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

func names() string {
	var all []string
	for _, w := range workload.All {
		all = append(all, w.Name)
	}
	return strings.Join(all, ", ")
}

func run(ctx context.Context, o *options) error {
	if runtime.GOOS != "linux" {
		return errors.New("it reads the processor times and the memory of servers from Linux's /proc, and runs on Linux alone")
	}
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.profile != "" {
		if err := os.MkdirAll(o.profile, 0o750); err != nil {
			return err
		}
	}
	pairs, err := o.pairs(ctx, dir)
	if err != nil {
		return err
	}
	progress := &progress{began: time.Now(), runs: o.rounds * 2 * len(pairs)}
	b := &bench{size: o.size, dir: dir, profile: o.profile, say: progress.say}
	results := make([]result, len(pairs))
	for i, p := range pairs {
		results[i].pair = p
	}
	// The rounds are outside: a slow minute of the machine then hits every pair a bit.
	var failed []error
	for i := range o.rounds {
		for k := range results {
			if ctx.Err() != nil {
				continue // what was measured until then is shown
			}
			if err := b.round(ctx, &results[k], i); err != nil {
				failed = append(failed, err) // the other pairs and rounds still count
			}
		}
	}
	progress.end()
	return errors.Join(append(failed, o.report(results))...)
}

func (o *options) report(results []result) error {
	var lines []line
	for i := range results {
		lines = append(lines, results[i].lines()...)
	}
	table(os.Stdout, lines)
	if o.json == "" {
		return nil
	}
	text, err := json.MarshalIndent(map[string]any{
		"time": time.Now().UTC().Format(time.RFC3339), "rounds": o.rounds, "lines": lines, "runs": raw(results),
	}, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(o.json), 0o750); err != nil {
		return err
	}
	return os.WriteFile(o.json, append(text, '\n'), 0o644) //nolint:gosec // nothing secret
}

// raw returns every figure of every round.
func raw(results []result) (all []map[string]any) {
	for _, r := range results {
		m := map[string]any{"workload": r.pair.workload.Name, "ours": r.ours}
		if r.pair.peer != nil {
			m["peer"], m["theirs"] = r.pair.peer.Name, r.peer
		}
		all = append(all, m)
	}
	return all
}
