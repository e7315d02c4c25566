package cli

import (
	"context"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

func followCommand(t *tool) *cobra.Command {
	var connection string
	var span time.Duration
	var end bool
	c := &cobra.Command{
		Use:   "follow [<user>]",
		Short: "Write to the log what one user or one connection does",
		Long: `Write to Caddy's log what one user or one connection does: commands, subscriptions, errors, without the contents
of messages. It is about the node that answers, and ends by itself.`,
		Example: `  caddy realtime follow ann
  caddy realtime follow --connection k5v2m8q1c7x3b9n4 --for 1h
  caddy realtime follow ann --end`,
		Args: arguments(0, 1),
	}
	f := c.Flags()
	f.StringVar(&connection, "connection", "", "follow this connection, instead of a user")
	f.DurationVar(&span, "for", 10*time.Minute, "how long, at most 1h")
	f.BoolVar(&end, "end", false, "follow no more")
	c.RunE = t.run(func(ctx context.Context, out *printer, args []string) error {
		s, err := t.site()
		if err != nil {
			return err
		}
		if (len(args) == 1) == (connection != "") {
			return errWhom
		}
		body := map[string]any{"seconds": int64(span / time.Second), "connection": connection}
		if end {
			body["seconds"] = 0
		}
		if connection == "" {
			delete(body, "connection")
			body["user"] = args[0]
		}
		v, raw, err := send[struct{ Seconds int64 }](ctx, s, http.MethodPost, "/follow", body)
		switch {
		case err != nil:
			return err
		case out.json:
			return out.raw(raw)
		case v.Seconds == 0:
			out.line("followed no more")
		default:
			out.line("the log of this node has it for %v: look for the logger realtime at level INFO", time.Duration(v.Seconds)*time.Second)
		}
		return nil
	})
	return c
}
