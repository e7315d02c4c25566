package realtime

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/caddy-realtime/caddy-realtime/backend/disk"
	"github.com/caddy-realtime/caddy-realtime/cli"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "realtime",
		Usage: "<command>",
		Short: "Watches and steers real-time channels",
		Long: `Watches and steers the real-time channels of a running Caddy: who is connected, what happens in a channel, why
somebody may not do something. The commands ask Caddy's admin endpoint, or, with --url, a site with an API key.`,
		CobraFunc: func(c *cobra.Command) { cli.Add(c, cli.Host{Admin: adminClient, Exit: exitWith, Stores: stores{}}) },
	})
}

// adminClient returns a client for Caddy's admin endpoint at an address in Caddy's notation,
// such as `localhost:2019` or `unix//run/caddy.sock`, and its URL.
func adminClient(address string) (*http.Client, string, error) {
	a, err := caddy.ParseNetworkAddress(address)
	if err != nil {
		return nil, "", err
	}
	if a.PortRangeSize() > 1 {
		return nil, "", fmt.Errorf("it has more than one port")
	}
	host := a.JoinHostPort(0)
	base := "http://" + host
	if a.IsUnixNetwork() {
		host, _, _ = strings.Cut(host, "|") // what follows are the permissions of the file
		base = "http://127.0.0.1"           // Caddy accepts this host over a socket file
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, a.Network, host)
	}}
	return &http.Client{Transport: transport}, base, nil
}

// exitWith makes the error with which Caddy's command line ends with a code.
func exitWith(c *cobra.Command, code int) error {
	return caddycmd.WrapCommandFuncForCobra(func(caddycmd.Flags) (int, error) { return code, nil })(c, nil)
}

// stores lets the command line work on stores that no Caddy has open.
type stores struct{}

func (stores) Check(dir string, p cli.StoreProgress) (cli.StoreReport, error) {
	r, err := disk.Check(dir, disk.Progress(p))
	if err != nil {
		return cli.StoreReport{}, err
	}
	return cli.StoreReport(*r), nil
}

func (stores) Export(dir string, to io.Writer, o cli.StoreExport) error {
	return disk.Export(dir, to, disk.ExportOptions{
		Channel: o.Channel, All: o.All, Progress: disk.Progress(o.Progress), Damaged: o.Damaged,
	})
}

func (stores) Renew(dir string) (rooms, documents int, err error) {
	r, err := disk.Renew(dir)
	return r.Rooms, r.Documents, err
}

func (stores) Compact(dir string, p cli.StoreProgress) (before, after int64, err error) {
	return disk.Compact(dir, disk.Progress(p))
}
