package cli

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/spf13/cobra"
)

func kickCommand(t *tool) *cobra.Command {
	var connection, reason string
	var code int
	c := &cobra.Command{
		Use:   "kick [<user>]",
		Short: "Close a user's connections on all nodes, or one connection",
		Long: `Close a user's connections on all nodes, or one connection. The clients do not connect again by
themselves, unless the code says so. Whoever may connect can come back: to prevent that, revoke the tokens.`,
		Example: `  caddy realtime kick ann --reason "the account is closed"
  caddy realtime kick --connection k5v2m8q1c7x3b9n4`,
		Args: arguments(0, 1),
	}
	f := c.Flags()
	f.StringVar(&connection, "connection", "", "close this connection alone, instead of a user's")
	f.IntVar(&code, "code", 0, "close code for WebSockets (default: the server's)")
	f.StringVar(&reason, "reason", "", "reason that the clients are told")
	c.RunE = t.run(func(ctx context.Context, out *printer, args []string) error {
		s, err := t.site()
		if err != nil {
			return err
		}
		uri, err := whom(args, connection)
		if err != nil {
			return err
		}
		var number string
		if code != 0 {
			number = strconv.Itoa(code)
		}
		return act(ctx, s, out, http.MethodDelete, uri+query("code", number, "reason", reason), "%d connections closed")
	})
	return c
}

// whom is the path of those who are kicked.
func whom(args []string, connection string) (string, error) {
	switch {
	case len(args) == 1 && connection == "":
		return path("users", args[0], "connections"), nil
	case len(args) == 0 && connection != "":
		return path("connections", connection), nil
	default:
		return "", errWhom
	}
}

var errWhom = errors.New("name either a user, or a connection with --connection")
