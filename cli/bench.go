package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func benchCommand(t *tool) *cobra.Command {
	b := bench{}
	var tokenFile string
	c := &cobra.Command{
		Use:   "bench",
		Short: "Test a live site: connect clients, publish, measure",
		Long: `Test a live site: connect clients by WebSocket, subscribe them to a channel, publish at a fixed rate, and measure
how long each delivery takes from the intended time of publishing. Deliveries that do not arrive are counted. With an API
key the messages are published over HTTP, else by the first client. The exit code is 2 if a client could not connect or a
delivery is missing.

The channel is one that clients may subscribe to. Its other subscribers see the messages. The site's limits hold:
connections_per_ip is the first that is met.`,
		Example: `  caddy realtime bench --url https://example.com/realtime --channel bench:1
  caddy realtime bench --url http://localhost:8080/realtime --channel chat:1 --connections 100 --rate 50 --duration 30s`,
		Args: arguments(0, 0),
	}
	f := c.Flags()
	f.StringVar(&b.channel, "channel", "", "channel to subscribe and to publish to (required)")
	f.IntVar(&b.connections, "connections", 50, "number of clients")
	f.Float64Var(&b.rate, "rate", 10, "messages a second")
	f.DurationVar(&b.duration, "duration", 10*time.Second, "how long to publish")
	f.IntVar(&b.size, "size", 128, "size of a message's content in bytes, about")
	f.StringVar(&tokenFile, "token-file", "", "file with a token for the clients")
	f.StringVar(&b.origin, "origin", "", "header Origin of the clients, as a page of a browser would send it")
	_ = c.MarkFlagRequired("channel") // fails only for an unknown flag
	c.RunE = t.run(func(ctx context.Context, out *printer, _ []string) error {
		if t.url == "" {
			return errors.New("--url is missing: bench connects as clients do, such as --url https://example.com/realtime")
		}
		var err error
		if b.site, err = t.site(); err != nil {
			return err
		}
		if b.token, err = readToken("", tokenFile); err != nil {
			return err
		}
		if err = b.check(); err != nil {
			return err
		}
		return b.run(ctx, out)
	})
	return c
}

// bench is a self-test of a site.
type bench struct {
	site        *site
	channel     string
	connections int
	rate        float64
	duration    time.Duration
	size        int
	token       string
	origin      string
}

// The bounds of a test, so that a slip of the keyboard does not become an attack.
const (
	maxClients = 20_000
	maxRate    = 10_000
	maxSize    = 1 << 20
)

func (b *bench) check() error {
	switch {
	case b.connections < 1 || b.connections > maxClients:
		return fmt.Errorf("--connections has to be 1 to %d", maxClients)
	case b.rate <= 0 || b.rate > maxRate:
		return fmt.Errorf("--rate has to be more than 0, and at most %d", maxRate)
	case b.duration <= 0:
		return errors.New("--duration has to be more than 0")
	case b.size < 0 || b.size > maxSize:
		return fmt.Errorf("--size has to be 0 to %d", maxSize)
	}
	return nil
}

// result is what a test found. It is also the output with --json; times are in milliseconds.
type result struct {
	Connected int            `json:"connected"`
	Failed    map[string]int `json:"failed,omitempty"`
	Published int            `json:"published"`
	Rejected  map[string]int `json:"rejected,omitempty"`
	Delivered int            `json:"delivered"`
	Missing   int            `json:"missing"`
	Closed    int            `json:"closed"` // clients whose connection ended during the test
	Connects  quantiles      `json:"connects"`
	Latency   quantiles      `json:"latency"`

	connects, latency histogram
}

type quantiles struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

func (h *histogram) quantiles() quantiles {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return quantiles{ms(h.quantile(.5)), ms(h.quantile(.9)), ms(h.quantile(.99)), ms(h.quantile(.999)), ms(h.most)}
}

// run makes the test and prints what it found.
func (b *bench) run(ctx context.Context, out *printer) error {
	r := &result{Failed: map[string]int{}, Rejected: map[string]int{}}
	crowd := b.connect(ctx, out, r)
	defer crowd.close()
	if r.Connected > 0 && ctx.Err() == nil {
		b.publish(ctx, out, crowd, r)
	}
	crowd.close()
	crowd.collect(r)
	r.Missing = r.Published*r.Connected - r.Delivered
	r.Connects, r.Latency = r.connects.quantiles(), r.latency.quantiles()
	if out.json {
		text, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if err := out.raw(text); err != nil {
			return err
		}
	} else {
		r.show(out, b.connections)
	}
	if r.Missing > 0 || r.Connected < b.connections || len(r.Rejected) > 0 {
		return errNo
	}
	return nil
}

func (r *result) show(out *printer, wanted int) {
	out.line("clients     %d of %d connected and subscribed", r.Connected, wanted)
	for what, n := range r.Failed {
		out.line("            %d failed: %s", n, plain(what))
	}
	out.line("            %s", r.connects.summary())
	out.line("messages    %d published", r.Published)
	for what, n := range r.Rejected {
		out.line("            %d rejected: %s", n, plain(what))
	}
	out.line("deliveries  %d arrived, %d missing", r.Delivered, r.Missing)
	if r.Closed > 0 {
		out.line("            %d connections ended during the test", r.Closed)
	}
	if r.latency.total > 0 {
		out.line("latency     %s", r.latency.summary())
		r.latency.plot(out)
	}
}

// filler makes the content as large as it should be.
func (b *bench) filler() string {
	const fields = 40 // the others of the content, about
	return strings.Repeat("x", max(0, b.size-fields))
}

// runID names a test, so that the messages of another one in the channel do not count.
func runID() string { return fmt.Sprintf("%x-%x", os.Getpid(), time.Now().UnixNano()) }
