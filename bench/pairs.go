package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/bench/client"
	"github.com/caddy-realtime/caddy-realtime/bench/target"
	"github.com/caddy-realtime/caddy-realtime/bench/workload"
)

// pairs builds the servers and returns what runs against what.
func (o *options) pairs(ctx context.Context, dir string) ([]pair, error) {
	chosen, err := choose(o.only)
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(os.Stderr, "bench: building")
	root, err := tree(ctx)
	if err != nil {
		return nil, err
	}
	program, err := build(ctx, root, "./bench/caddy", dir, "caddy", nil)
	if err != nil {
		return nil, err
	}
	targets := &targets{ctx: ctx, root: root, dir: dir, rev: o.rev, program: program, known: make(map[string]*target.Target)}
	ours := target.Caddy("ours", program)
	var all []pair
	for _, group := range groups(chosen, o.peerFor) {
		peer, err := targets.get(group[0].peer)
		if err != nil {
			return nil, err
		}
		if peer != nil && peer.Missing() != "" {
			fmt.Fprintf(os.Stderr, "bench: %s is left out beside %s: %s\n", group[0].workload, peer.Name, peer.Missing())
			peer = nil
		}
		w, ok := workload.Find(group[0].workload)
		if !ok {
			return nil, fmt.Errorf("no workload %s", group[0].workload)
		}
		if missing := w.Missing(); missing != "" {
			fmt.Fprintf(os.Stderr, "bench: %s is left out: %s\n", w.Name, missing)
			continue
		}
		all = append(all, pair{workload: w, ours: ours, peer: peer, rows: group})
	}
	return all, nil
}

// choose returns the rows of the named workloads, all if none is named.
func choose(only string) (chosen []row, err error) {
	if only == "" {
		return rows, nil
	}
	for name := range strings.SplitSeq(only, ",") {
		if _, ok := workload.Find(name); !ok {
			return nil, fmt.Errorf("unknown workload '%s'; there are %s", name, names())
		}
		for _, r := range rows {
			if r.workload == name {
				chosen = append(chosen, r)
			}
		}
	}
	return chosen, nil
}

// peerFor returns the name of the peer of a row.
func (o *options) peerFor(r row) string {
	switch {
	case o.rev != "":
		return revisionPeer
	case o.peer != "":
		return o.peer
	}
	return r.peer
}

// groups puts rows together that come from the same runs. A bar that is a ratio goes with
// its peer.
func groups(chosen []row, peerFor func(row) string) (all [][]row) {
	for _, r := range chosen {
		peer := peerFor(r)
		if peer != r.peer {
			r.peer, r.ratio = peer, 0
		}
		i := slices.IndexFunc(all, func(g []row) bool { return g[0].workload == r.workload && g[0].peer == r.peer })
		if i < 0 {
			all, i = append(all, nil), len(all)
		}
		if !slices.Contains(all[i], r) {
			all[i] = append(all[i], r)
		}
	}
	return all
}

// revisionPeer and noPeer are names of peers that are no servers of their own.
const (
	revisionPeer = "revision"
	noPeer       = "none"
)

// parkedPeer is [floor.ServeParked].
const parkedPeer = "net/http"

// targets builds the peers that are used.
type targets struct {
	ctx            context.Context
	root, dir, rev string
	program        string // this server
	known          map[string]*target.Target
}

func (t *targets) get(name string) (*target.Target, error) {
	if found, ok := t.known[name]; ok {
		return found, nil
	}
	made, err := t.make(name)
	t.known[name] = made
	return made, err
}

func (t *targets) make(name string) (*target.Target, error) {
	switch name {
	case noPeer:
		return nil, nil
	case target.Nchan.Name:
		return target.Nchan, nil
	case workload.Without, workload.Native, workload.Proxy, workload.InMemory, workload.Plain, workload.Bare:
		return target.Caddy(name, t.program), nil
	case revisionPeer:
		program, err := revision(t.ctx, t.root, t.rev, t.dir)
		return target.Caddy(t.rev, program), err
	case "hub", "floor":
		program, err := os.Executable()
		return target.Program(name, client.Plain, program, serveWord, name), err
	case parkedPeer:
		program, err := os.Executable()
		return target.Program(name, client.Native, program, serveWord, name), err
	}
	return nil, fmt.Errorf("unknown peer '%s'; there are nchan, hub, floor, net/http, caddy, plain, none, and memory and without for some workloads", name)
}
