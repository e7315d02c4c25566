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

// round runs the i-th round of a pair. The one that comes first changes with each round.
func (b *bench) round(ctx context.Context, r *result, i int) error {
	sides := []struct {
		target  *target.Target
		figures *[]workload.Figures
	}{{r.pair.ours, &r.ours}, {r.pair.peer, &r.peer}}
	for k := range sides {
		side := sides[(k+i)%2]
		if side.target == nil {
			continue
		}
		b.say("%s: %s, round %d", r.pair.workload.Name, side.target.Name, i+1)
		profile := ""
		if b.profile != "" && side.target == r.pair.ours {
			profile = filepath.Join(b.profile, fmt.Sprintf("%s-%d", r.pair.workload.Name, i+1))
		}
		f, err := b.once(ctx, r.pair.workload, side.target, profile)
		if err != nil {
			return fmt.Errorf("%s, %s: %w", r.pair.workload.Name, side.target.Name, err)
		}
		*side.figures = append(*side.figures, f)
	}
	return nil
}

// once starts a server, runs a workload against it and ends the server.
func (b *bench) once(ctx context.Context, w workload.Workload, t *target.Target, profile string) (workload.Figures, error) {
	dir, err := os.MkdirTemp(b.dir, t.Name+"-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	s, err := t.Start(ctx, target.Options{Dir: dir, TLS: w.TLS, Ping: w.Ping})
	if err != nil {
		return nil, err
	}
	defer s.Stop()
	return w.Run(ctx, &workload.Session{Server: s, Size: b.size, Transport: w.Transport, ProfileTo: profile})
}
