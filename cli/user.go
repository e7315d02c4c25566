package cli

import (
	"context"
	"net/http"

	"github.com/spf13/cobra"
)

func userCommand(t *tool) *cobra.Command {
	var subscribe, unsubscribe string
	var forget, revocations bool
	c := &cobra.Command{
		Use:   "user <user>",
		Short: "Say where a user is online, or act on the user's connections",
		Long: `Say whether a user is online, and by which connections. The exit code is 2 if the user is offline.
With a flag, act on all connections of the user on all nodes.`,
		Example: `  caddy realtime user ann
  caddy realtime user ann --subscribe chat:42
  caddy realtime user ann --forget`,
		Args: oneArgument,
	}
	f := c.Flags()
	f.StringVar(&subscribe, "subscribe", "", "subscribe the user's connections to this channel")
	f.StringVar(&unsubscribe, "unsubscribe", "", "end their subscriptions of this channel")
	f.BoolVar(&forget, "forget", false, "forget the user as an absent member of rooms")
	f.BoolVar(&revocations, "revocations", false, "with --forget: also end standing revocations of the user's tokens")
	c.MarkFlagsMutuallyExclusive("subscribe", "unsubscribe", "forget")
	c.RunE = t.run(func(ctx context.Context, out *printer, args []string) error {
		s, err := t.site()
		if err != nil {
			return err
		}
		user := args[0]
		switch {
		case subscribe != "":
			return act(ctx, s, out, http.MethodPost, path("users", user, "channels", subscribe), "%d connections are subscribed")
		case unsubscribe != "":
			return act(ctx, s, out, http.MethodDelete, path("users", user, "channels", unsubscribe), "%d connections were unsubscribed")
		case forget:
			return forgetUser(ctx, s, out, user, revocations)
		default:
			return showUser(ctx, s, out, user)
		}
	})
	return c
}

func showUser(ctx context.Context, s *site, out *printer, user string) error {
	v, raw, err := get[struct {
		reach
		Online      bool         `json:"online"`
		Connections []connection `json:"connections"`
		More        bool         `json:"more"`
	}](ctx, s, path("users", user))
	switch {
	case err != nil:
		return err
	case out.json:
		err = out.raw(raw)
	case v.Online:
		connectionTable(out, v.Connections)
		if v.More {
			out.note("there are more: caddy realtime connections --user %s", plain(user))
		}
	default:
		out.line("%s is offline", plain(user))
	}
	v.warn(out)
	if err == nil && !v.Online {
		return errNo
	}
	return err
}

func forgetUser(ctx context.Context, s *site, out *printer, user string, revocations bool) error {
	also := ""
	if revocations {
		also = "true"
	}
	v, raw, err := send[struct {
		reach
		Members     int `json:"members"`
		Revocations int `json:"revocations"`
	}](ctx, s, http.MethodDelete, path("users", user)+query("revocations", also), nil)
	switch {
	case err != nil:
		return err
	case out.json:
		return out.raw(raw)
	}
	out.line("forgotten as a member of %d rooms", v.Members)
	if revocations {
		out.line("%d revocations ended", v.Revocations)
	}
	v.warn(out)
	return nil
}

// act changes connections on all nodes and says how many.
func act(ctx context.Context, s *site, out *printer, method, uri, done string) error {
	v, raw, err := send[struct {
		Connections int `json:"connections"`
		Pending     int `json:"pending"`
	}](ctx, s, method, uri, nil)
	switch {
	case err != nil:
		return err
	case out.json:
		return out.raw(raw)
	}
	out.line(done, v.Connections)
	if v.Pending > 0 {
		out.note("%d nodes have not answered yet", v.Pending)
	}
	return nil
}
