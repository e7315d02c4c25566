package target

import (
	"context"
	"os/exec"
	"slices"
	"time"

	"github.com/caddy-realtime/caddy-realtime/bench/client"
	"github.com/caddy-realtime/caddy-realtime/bench/proc"
)

// Program is a server of the bench: a program that gets args, an address and, for TLS, the
// files of a certificate and its key. It speaks d, and collects on SIGUSR1.
func Program(name string, d client.Dialect, program string, args ...string) *Target {
	return &Target{Name: name, Missing: none, Start: func(ctx context.Context, o Options) (*Server, error) {
		addr, err := freeAddr()
		if err != nil {
			return nil, err
		}
		args := append(slices.Clone(args), addr)
		if o.TLS {
			cert, key, err := certificate(o.Dir)
			if err != nil {
				return nil, err
			}
			args = append(args, cert, key)
		}
		child, err := proc.Start(ctx, addr, exec.Command(program, args...))
		if err != nil {
			return nil, err
		}
		s := running(child, addr, o, d)
		s.Collect = func(context.Context) error {
			err := child.Signal(proc.Collect)
			time.Sleep(time.Second) // a signal has no answer
			return err
		}
		return s, nil
	}}
}
