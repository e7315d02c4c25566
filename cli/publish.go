package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/spf13/cobra"
)

// addressee is the user that a message is for.
type addressee struct {
	User string `json:"user"`
}

func publishCommand(t *tool) *cobra.Command {
	var m struct {
		Content json.RawMessage `json:"content"`
		Event   string          `json:"event,omitempty"`
		To      *addressee      `json:"to,omitempty"`
		Key     string          `json:"key,omitempty"`
	}
	var to string
	var text bool
	c := &cobra.Command{
		Use:   "publish <channel> [<content>]",
		Short: "Publish a message to a channel",
		Long: `Publish a message to a channel, as the app does. The content is JSON; what is no JSON is published as a
string. Without a content, or with -, it is read from standard input.`,
		Example: `  caddy realtime publish chat:42 '{"text": "The server restarts at 22:00"}'
  caddy realtime publish news:all hello
  caddy realtime publish news:all 42 --text        # the string "42"
  date | caddy realtime publish clock --event tick`,
		Args:              arguments(1, 2),
		ValidArgsFunction: t.completeChannel,
	}
	f := c.Flags()
	f.StringVar(&m.Event, "event", "", "name of the event")
	f.StringVar(&to, "to", "", "publish it to this user alone, who must be in the channel")
	f.StringVar(&m.Key, "key", "", "idempotency key: a repeat with the same key is not published again")
	f.BoolVar(&text, "text", false, "publish the content as a string, also if it is JSON")
	c.RunE = t.run(func(ctx context.Context, out *printer, args []string) error {
		s, err := t.site()
		if err != nil {
			return err
		}
		if to != "" {
			m.To = &addressee{User: to}
		}
		if m.Content, err = content(args[1:], os.Stdin, text); err != nil {
			return err
		}
		done, raw, err := send[struct {
			Offset              int64
			Duplicate, Degraded bool
		}](ctx, s, http.MethodPost, path("channels", args[0], "messages"), m)
		switch {
		case err != nil:
			return err
		case out.json:
			return out.raw(raw)
		case done.Duplicate:
			out.line("a message with this key was published before, at #%d", done.Offset)
		case done.Offset > 0:
			out.line("published at #%d", done.Offset)
		default:
			out.line("published")
		}
		if done.Degraded {
			out.note("degraded: only the subscribers of this node were reached, because Redis is away")
		}
		return nil
	})
	return c
}

// content returns what is to be published, as JSON.
func content(args []string, in io.Reader, text bool) (json.RawMessage, error) {
	var given []byte
	if len(args) == 1 && args[0] != "-" {
		given = []byte(args[0])
	} else {
		var err error
		if given, err = io.ReadAll(in); err != nil {
			return nil, fmt.Errorf("reading the content: %w", err)
		}
		if n := len(given); n > 0 && given[n-1] == '\n' {
			given = given[:n-1]
		}
	}
	if len(given) == 0 {
		return nil, errors.New(`there is no content; an empty string is '""'`)
	}
	if !text && json.Valid(given) {
		return given, nil
	}
	return json.Marshal(string(given))
}
