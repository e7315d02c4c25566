package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

const (
	// maxLine bounds a line of a live stream, in bytes: a message of the largest size fits,
	// with its envelope.
	maxLine = 16 << 20
	// tailRest is the pause before a live stream is opened again.
	tailRest = time.Second
)

func tailCommand(t *tool) *cobra.Command {
	history := 0
	c := &cobra.Command{
		Use:   "tail <channel>…",
		Short: "Show what happens in channels, as it happens",
		Long: `Show what happens in channels, as it happens: messages with their position, members, gaps.
When the connection is lost, the command connects again, and says that something may have been missed.
It runs until it is interrupted.`,
		Example: `  caddy realtime tail chat:42
  caddy realtime tail chat:42 orders:7 --history 20
  caddy realtime tail chat:42 --json | jq .payload.content`,
		Args:              arguments(1, -1),
		ValidArgsFunction: t.completeChannels,
	}
	c.Flags().IntVar(&history, "history", 0, "begin with so many of the newest messages of each channel (0 to 1000)")
	c.RunE = t.run(func(ctx context.Context, out *printer, channels []string) error {
		s, err := t.site()
		if err != nil {
			return err
		}
		return follow(ctx, s, out, channels, history)
	})
	return c
}

// follow shows the live stream, and opens it again when it ends. It returns when the first
// attempt fails, or when the server rejects a later one.
func follow(ctx context.Context, s *site, out *printer, channels []string, history int) error {
	for first := true; ; first = false {
		err := stream(ctx, s, out, channels, history)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && (first || !errors.As(err, new(*unreachable))):
			return err
		}
		out.note("the connection was lost: connecting again; what happens meanwhile is not shown")
		history = 0
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(tailRest):
		}
	}
}

// stream shows one live stream until it ends. It returns nil once the stream was open.
func stream(ctx context.Context, s *site, out *printer, channels []string, history int) error {
	pairs := []string{}
	for _, c := range channels {
		pairs = append(pairs, "channel", c)
	}
	if history != 0 {
		pairs = append(pairs, "history", strconv.Itoa(history))
	}
	answer, err := s.open(ctx, http.MethodGet, "/tail"+query(pairs...), nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if kind := answer.Header.Get("Content-Type"); kind != "application/x-ndjson" {
		return fmt.Errorf("%s does not answer with a live stream: is it the address of a `realtime` endpoint?", s.name)
	}
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		if out.json {
			out.line("%s", lines.Text())
			continue
		}
		if err := show(out, lines.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// envelope is a line of a live stream: an event of the native protocol.
type envelope struct {
	Type      string          `json:"type"`
	Timestamp moment          `json:"timestamp"`
	Payload   json.RawMessage `json:"payload"`
}

// event has the fields of all events that are shown.
type event struct {
	Channel string          `json:"channel"`
	Offset  int64           `json:"offset"`
	Sender  string          `json:"sender"`
	To      string          `json:"to"`
	Event   string          `json:"event"`
	Content json.RawMessage `json:"content"`
	Tags    struct {
		Redacted bool `json:"redacted"`
	} `json:"tags"`
	Entered       []string        `json:"entered"`
	Left          []string        `json:"left"`
	Updated       []string        `json:"updated"`
	Count         *int            `json:"count"`
	ServerVersion int64           `json:"serverVersion"`
	Patch         json.RawMessage `json:"patch"`
	Message       string          `json:"message"`
	Messages      []event         `json:"messages"`
	Timestamp     moment          `json:"timestamp"`
}

// show prints a line of a live stream for people.
func show(out *printer, line []byte) error {
	var e envelope
	var v event
	if err := json.Unmarshal(line, &e); err != nil {
		return fmt.Errorf("the live stream is not understood: %w", err)
	}
	if len(e.Payload) > 0 {
		if err := json.Unmarshal(e.Payload, &v); err != nil {
			return fmt.Errorf("the live stream is not understood: %w", err)
		}
	}
	switch e.Type {
	case "connected", "ping":
	case "subscribed":
		out.note("%s: listening behind #%d", plain(v.Channel), v.Offset)
		for _, m := range v.Messages {
			m.Channel = v.Channel
			showMessage(out, m.Timestamp, m)
		}
	case "end":
		out.note("the server ends the stream: %s", plain(v.Message))
	case "message":
		showMessage(out, e.Timestamp, v)
	default:
		out.line("%s  %-20s  %s", clock(e.Timestamp), plain(v.Channel), describe(e.Type, v))
	}
	return nil
}

func showMessage(out *printer, at moment, m event) {
	var position, to, name string
	if m.Offset > 0 {
		position = "#" + strconv.FormatInt(m.Offset, 10) + "  "
	}
	if m.To != "" {
		to = " to " + plain(m.To)
	}
	if m.Event != "" {
		name = plain(m.Event) + "  "
	}
	content := plain(string(m.Content))
	if m.Tags.Redacted {
		content = "(redacted)"
	}
	sender := plain(m.Sender)
	if sender == "" {
		sender = "-"
	}
	out.line("%s  %-20s  %s%s%s  %s%s", clock(at), plain(m.Channel), position, sender, to, name, content)
}

// describe says what an event means that is not a message.
func describe(kind string, v event) string {
	switch kind {
	case "gap":
		return fmt.Sprintf("gap: messages were lost; it goes on behind #%d", v.Offset)
	case "remote-change":
		return fmt.Sprintf("document version %d by %s: %s", v.ServerVersion, plain(v.Sender), plain(string(v.Patch)))
	case "presence":
		var text string
		for _, part := range []struct {
			word string
			ids  []string
		}{{"entered", v.Entered}, {"left", v.Left}, {"updated", v.Updated}} {
			for _, id := range part.ids {
				text += part.word + " " + plain(id) + ", "
			}
		}
		if v.Count != nil {
			text += strconv.Itoa(*v.Count) + " present"
		}
		return text
	default:
		return plain(kind)
	}
}

func clock(m moment) string { return m.time().Format("15:04:05.000") }
