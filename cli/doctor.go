package cli

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/spf13/cobra"
)

func doctorCommand(t *tool) *cobra.Command {
	d := doctor{}
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what is wrong: configuration, Redis, descriptors, clock, proxies, origins",
		Long: `Look for what is wrong with a running Caddy, and say what to do. Without --site the command asks the admin
endpoint: is each hub ready, has it room blocks and an API key, are there enough descriptors. With --site it also connects
as a page would: handshake, event stream without delay, origin, clock, the address that the server takes the client for, and
whether one Caddy answers, or two that share the port.
The exit code is 2 if something is wrong.`,
		Example: `  caddy realtime doctor
  caddy realtime doctor --site https://example.com/realtime --origin https://www.example.com`,
		Args: arguments(0, 0),
	}
	c.Flags().StringVar(&d.url, "site", "", "address of the endpoint as clients use it, such as https://example.com/realtime")
	c.Flags().StringVar(&d.origin, "origin", "", "origin of the page that uses the site (default: that of --site)")
	c.RunE = t.run(func(ctx context.Context, out *printer, _ []string) error {
		var err error
		if d.admin, err = t.adminSite(""); err != nil {
			return err
		}
		if d.url != "" {
			if d.url, err = parseURL(d.url); err != nil {
				return err
			}
		}
		return d.run(ctx, out)
	})
	return c
}

// doctor makes the checks.
type doctor struct {
	admin  *site
	url    string // may be empty
	origin string
}

// finding is the result of a check.
type finding struct {
	Check string `json:"check"`
	State string `json:"state"` // ok, note or wrong
	What  string `json:"what"`
	Mend  string `json:"mend,omitempty"` // what to do
}

const (
	stateOK    = "ok"
	stateNote  = "note"
	stateWrong = "wrong"
)

// checks are all checks, those from inside first.
var checks = []struct {
	name   string
	onSite bool // needs --site
	run    func(context.Context, *doctor) ([]finding, error)
}{
	{"hubs", false, checkHubs},
	{"configuration", false, checkConfig},
	{"descriptors", false, checkDescriptors},
	{"clock", true, checkClock},
	{"websocket", true, checkWebSocket},
	{"servers", true, checkServers},
	{"event stream", true, checkStream},
}

func (d *doctor) run(ctx context.Context, out *printer) error {
	all, wrong := []finding{}, false
	for _, c := range checks {
		if c.onSite && d.url == "" {
			continue
		}
		found, err := c.run(ctx, d)
		if err != nil && (!c.onSite || ctx.Err() != nil) {
			return err
		}
		if err != nil {
			found = append(found, d.failed(err))
		}
		for _, f := range found {
			f.Check = c.name
			all = append(all, f)
			wrong = wrong || f.State == stateWrong
			if !out.json {
				f.show(out)
			}
		}
	}
	if out.json {
		text, err := json.Marshal(all)
		if err != nil {
			return err
		}
		if err := out.raw(text); err != nil {
			return err
		}
	} else if d.url == "" {
		out.note("With --site https://… doctor also connects as a page would.")
	}
	if wrong {
		return errNo
	}
	return nil
}

// failed is the finding of a check that could not be made. A 401 comes from what signs users in: the
// directive before the endpoint, which the request did not reach. So the check says nothing, and nothing is wrong.
func (d *doctor) failed(err error) finding {
	var r *rejected
	if !errors.As(err, &r) || r.Status != http.StatusUnauthorized {
		return finding{State: stateWrong, What: err.Error(), Mend: "is --site the address of the `realtime` endpoint, as a browser uses it?"}
	}
	return d.wantsSignIn("")
}

// wantsSignIn is the finding of a check that a sign-in prevents. scheme is what the server asks for, if
// that is known.
func (d *doctor) wantsSignIn(scheme string) finding {
	what := "not checked: the site asks for a sign-in (401"
	if scheme != "" {
		what += ", " + scheme
	}
	what += "), which doctor does not have"
	if d.origin != "" {
		what += "; whether pages of " + d.origin + " may connect is not known either"
	}
	return finding{State: stateNote, What: what, Mend: "to check it, name an address of this `realtime` without the sign-in, such as a site with `bind 127.0.0.1`; 401 is right for strangers"}
}

func (f finding) show(out *printer) {
	out.line("%-5s  %-13s  %s", f.State, f.Check, plain(f.What))
	if f.Mend != "" {
		out.line("%-5s  %-13s  -> %s", "", "", plain(f.Mend))
	}
}
