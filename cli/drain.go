package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// drainStep is how often the progress of a drain is read.
const drainStep = 500 * time.Millisecond

func drainCommand(t *tool) *cobra.Command {
	var all, cancel, status, noWait bool
	c := &cobra.Command{
		Use:   "drain [<window>]",
		Short: "Send the clients of this node to the others, spread over a time",
		Long: `Send the clients of this node to the others, spread over a time: before the node is stopped or replaced.
The node is no longer ready, rejects new clients with 503, tells each client its own time to connect again, and closes the
connections over the window (default: the option drain of the hub). The command waits until all are gone; an interrupt
ends the command, not the drain.`,
		Example: `  caddy realtime drain 2m
  caddy realtime drain --status
  caddy realtime drain --cancel`,
		Args: arguments(0, 1),
	}
	f := c.Flags()
	f.BoolVar(&all, "all", false, "drain all hubs of the node, instead of the one of --hub")
	f.BoolVar(&cancel, "cancel", false, "end a drain: the node takes clients again")
	f.BoolVar(&status, "status", false, "show how far a drain is")
	f.BoolVar(&noWait, "no-wait", false, "return when the drain has started")
	c.MarkFlagsMutuallyExclusive("cancel", "status", "no-wait")
	c.RunE = t.run(func(ctx context.Context, out *printer, args []string) error {
		s, err := t.adminSite("/realtime")
		if err != nil {
			return err
		}
		d := drainer{site: s, out: out, all: all, hub: t.hub}
		switch {
		case (cancel || status) && len(args) > 0:
			return errors.New("a window belongs to a drain that starts: leave it out")
		case cancel:
			return d.print(ctx, http.MethodDelete, d.body())
		case status:
			return d.print(ctx, http.MethodGet, nil)
		}
		if err := d.start(ctx, args); err != nil || noWait {
			return err
		}
		return d.wait(ctx)
	})
	return c
}

// drainer drains one hub of a node, or all.
type drainer struct {
	site *site
	out  *printer
	all  bool
	hub  string
}

// drained is the state of a hub's drain in an answer.
type drained struct {
	Hub    string `json:"hub"`
	State  string `json:"state"`
	Window int64  `json:"window"`
	Ends   moment `json:"ends"`
	Total  int    `json:"total"`
	Closed int    `json:"closed"`
	Left   int    `json:"left"`
}

type drains struct {
	Drains []drained `json:"drains"`
}

// body says which hubs a request is about.
func (d drainer) body() map[string]string {
	if d.all {
		return map[string]string{}
	}
	return map[string]string{"hub": d.hub}
}

func (d drainer) start(ctx context.Context, args []string) error {
	body := d.body()
	if len(args) == 1 {
		if _, err := time.ParseDuration(args[0]); err != nil {
			return errors.New("the window has to be a duration such as 30s or 2m")
		}
		body["window"] = args[0]
	}
	return d.print(ctx, http.MethodPost, body)
}

// print sends a request and prints the state of the drains.
func (d drainer) print(ctx context.Context, method string, body any) error {
	v, raw, err := d.ask(ctx, method, body)
	switch {
	case err != nil:
		return err
	case d.out.json:
		return d.out.raw(raw)
	}
	for _, h := range v.Drains {
		d.out.line("%s: %s, %d of %d connections closed, %d left", plain(h.Hub), plain(h.State), h.Closed, h.Total, h.Left)
	}
	return nil
}

// ask returns the drains that the command is about.
func (d drainer) ask(ctx context.Context, method string, body any) (drains, json.RawMessage, error) {
	v, raw, err := send[drains](ctx, d.site, method, "/drain", body)
	if err != nil || d.all {
		return v, raw, err
	}
	mine := v.Drains[:0]
	for _, h := range v.Drains {
		if h.Hub == d.hub {
			mine = append(mine, h)
		}
	}
	if v.Drains = mine; len(mine) == 0 {
		return v, raw, fmt.Errorf("no hub is named %s; caddy realtime doctor lists the hubs", plain(d.hub))
	}
	return v, raw, nil
}

// wait shows the progress until no drain goes on. A drain that somebody cancels is an error.
func (d drainer) wait(ctx context.Context) error {
	bar := newBar(d.out.notes, "closed")
	defer bar.end()
	for {
		v, raw, err := d.ask(ctx, http.MethodGet, nil)
		if err != nil {
			return err
		}
		total, closed, going, cancelled := 0, 0, false, false
		for _, h := range v.Drains {
			total, closed = total+h.Total, closed+h.Closed
			going = going || h.State == "draining"
			cancelled = cancelled || h.State == "cancelled"
		}
		bar.set(closed, total)
		switch {
		case cancelled:
			return errors.New("the drain was cancelled")
		case !going:
			if d.out.json {
				return d.out.raw(raw)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(drainStep):
		}
	}
}
