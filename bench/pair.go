package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/caddy-realtime/caddy-realtime/bench/target"
	"github.com/caddy-realtime/caddy-realtime/bench/workload"
)

// pair is what is measured against what.
type pair struct {
	workload   workload.Workload
	ours, peer *target.Target // peer is nil if ours runs alone
	rows       []row
}

// result is what the rounds of a pair measured.
type result struct {
	pair       pair
	ours, peer []workload.Figures // by round
}

// bench runs pairs.
type bench struct {
	size    workload.Size
	dir     string // for files of servers
	profile string // where profiles of this server go; none if empty
	say     func(format string, args ...any)
}

// round runs the i-th round of a pair. The side that comes first changes with each round.
// A round counts only if both sides end well.
func (b *bench) round(ctx context.Context, r *result, i int) error {
	targets := [2]*target.Target{r.pair.ours, r.pair.peer}
	var figures [2]workload.Figures
	for k := range targets {
		side := (k + i) % 2
		t := targets[side]
		if t == nil {
			continue
		}
		b.say("%s: %s, round %d", r.pair.workload.Name, t.Name, i+1)
		profile := ""
		if b.profile != "" && side == 0 {
			profile = filepath.Join(b.profile, fmt.Sprintf("%s-%d", r.pair.workload.Name, i+1))
		}
		var err error
		if figures[side], err = b.once(ctx, r.pair.workload, t, profile); err != nil {
			return fmt.Errorf("%s, %s, round %d: %w", r.pair.workload.Name, t.Name, i+1, err)
		}
	}
	r.ours = append(r.ours, figures[0])
	if r.pair.peer != nil {
		r.peer = append(r.peer, figures[1])
	}
	return nil
}

// once starts a server, runs a workload against it and ends the server.
func (b *bench) once(ctx context.Context, w workload.Workload, t *target.Target, profile string) (workload.Figures, error) {
	dir, err := os.MkdirTemp(b.dir, "server-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	site, err := w.Site(t.Name)
	if err != nil {
		return nil, err
	}
	s, err := t.Start(ctx, target.Options{Dir: dir, TLS: w.TLS, Ping: w.Ping, Site: site})
	if err != nil {
		return nil, err
	}
	defer s.Stop()
	return w.Run(ctx, &workload.Session{Server: s, Size: b.size, Transport: w.Transport, Variant: t.Name, ProfileTo: profile})
}
