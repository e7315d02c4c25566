package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func explainCommand(t *tool) *cobra.Command {
	var user, tokenFile, action, realm string
	c := &cobra.Command{
		Use:   "explain <channel or pattern>",
		Short: "Say why somebody may, or may not, subscribe or publish",
		Long: `Say which room block matches a channel, what it says, and which rule decides for a user, for the holder of a
token, or for an anonymous client. Of a pattern it says which block allows it, or which block has channels of
it and forbids it. The exit code is 2 if it is not allowed. The app is not asked.`,
		Example: `  caddy realtime explain chat:42
  caddy realtime explain --user ann --action publish chat:42
  caddy realtime explain --user ann 'orders:*'
  caddy realtime explain --token-file token.jwt inbox:ann`,
		Args:              oneArgument,
		ValidArgsFunction: t.completeChannel,
	}
	f := c.Flags()
	f.StringVar(&user, "user", "", "decide for this user")
	f.StringVar(&tokenFile, "token-file", "", "decide for the holder of the token in this file; - is standard input")
	f.String("token", "", "decide for the holder of this token (other users of the machine can read it: better --token-file)")
	f.StringVar(&action, "action", "subscribe", "what is to be done: subscribe, publish, presence, history or change")
	f.StringVar(&realm, "realm", "", "path of the route whose identity options count, if the hub has several")
	c.MarkFlagsMutuallyExclusive("user", "token", "token-file")
	c.RunE = t.run(func(ctx context.Context, out *printer, args []string) error {
		s, err := t.site()
		if err != nil {
			return err
		}
		token, err := readToken(f.Lookup("token").Value.String(), tokenFile)
		if err != nil {
			return err
		}
		return explain(ctx, s, out, query(kind(args[0]), args[0], "action", action, "user", user, "token", token, "realm", realm))
	})
	return c
}

// kind returns the parameter for a channel or a pattern.
func kind(name string) string {
	if strings.Contains(name, "*") {
		return "pattern"
	}
	return "channel"
}

// readToken returns the token that a flag has, or the file that a flag names.
func readToken(token, file string) (string, error) {
	if file == "" {
		return token, nil
	}
	var text []byte
	var err error
	if file == "-" {
		text, err = io.ReadAll(os.Stdin)
	} else {
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return "", fmt.Errorf("--token-file: %w", err)
	}
	if token = strings.TrimSpace(string(text)); token == "" {
		return "", errors.New("--token-file: the file is empty")
	}
	return token, nil
}

// explanation is the answer to GET /explain.
type explanation struct {
	Allowed bool   `json:"allowed"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Text    string `json:"text"`
	Room    *struct {
		Pattern string            `json:"pattern"`
		Place   int               `json:"place"`
		Of      int               `json:"of"`
		Access  map[string]string `json:"access"`
	} `json:"room"`
	Caller struct {
		Kind    string `json:"kind"`
		User    string `json:"user"`
		Problem string `json:"problem"`
	} `json:"caller"`
	Forbids *struct {
		Pattern string `json:"pattern"`
		Place   int    `json:"place"`
	} `json:"forbids"`
	Skipped []struct {
		Pattern string `json:"pattern"`
	} `json:"skipped"`
	Authorize *struct {
		Asked bool   `json:"asked"`
		What  string `json:"what"`
	} `json:"authorize"`
}

func explain(ctx context.Context, s *site, out *printer, uri string) error {
	v, raw, err := get[explanation](ctx, s, "/explain"+uri)
	if err != nil {
		return err
	}
	if out.json {
		err = out.raw(raw)
	} else {
		v.show(out)
	}
	if err == nil && !v.Allowed {
		return errNo
	}
	return err
}

func (v explanation) show(out *printer) {
	if v.Allowed {
		out.line("allowed")
	} else {
		out.line("not allowed: %s %s", plain(v.Code), plain(v.Message))
	}
	out.line("%s", plain(v.Text))
	if v.Caller.Problem != "" {
		out.line("token:      %s", plain(v.Caller.Problem))
	}
	if v.Room != nil {
		out.line("room block: room %s (number %d of %d)", plain(v.Room.Pattern), v.Room.Place, v.Room.Of)
		for _, action := range []string{"subscribe", "publish", "presence", "history", "change", "subscribe_pattern"} {
			if who := v.Room.Access[action]; who != "" {
				out.line("            %-9s  %s", action, plain(who))
			}
		}
	}
	if b := v.Forbids; b != nil {
		out.line("forbidden:  by room %s (number %d)", plain(b.Pattern), b.Place)
	}
	for _, b := range v.Skipped {
		out.line("no match:   room %s", plain(b.Pattern))
	}
	if a := v.Authorize; a != nil && a.Asked {
		out.line("authorize:  the app is asked as well (%s); it was not asked now", plain(a.What))
	}
}
