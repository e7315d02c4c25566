package cli

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/spf13/cobra"
)

// channel is an active channel in an answer.
type channel struct {
	Channel     string `json:"channel"`
	Connections int    `json:"connections"`
	Members     *int   `json:"members"`
	Document    *struct {
		Version int64 `json:"version"`
		Bytes   int64 `json:"bytes"`
	} `json:"document"`
}

func channelsCommand(t *tool) *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use:   "channels [<prefix>]",
		Short: "List the active channels of all nodes",
		Long:  "List the active channels of all nodes, with their connections and present members.",
		Example: `  caddy realtime channels
  caddy realtime channels chat: --limit 1000`,
		Args:              arguments(0, 1),
		ValidArgsFunction: t.completeChannel,
	}
	c.Flags().IntVar(&limit, "limit", 100, "how many to show at most")
	c.RunE = t.run(func(ctx context.Context, out *printer, args []string) error {
		s, err := t.site()
		if err != nil {
			return err
		}
		prefix := ""
		if len(args) == 1 {
			prefix = args[0]
		}
		var rows [][]string
		last, err := pages(ctx, s, out, "/channels", []string{"prefix", prefix}, "channels", limit, func(c channel) {
			rows = append(rows, channelRow(c))
		})
		if err != nil || out.json {
			return err
		}
		out.table("CHANNEL CONNECTIONS MEMBERS DOCUMENT", rows)
		last.warn(out)
		if last.More {
			out.note("there are more: --limit")
		}
		return nil
	})
	return c
}

func channelRow(c channel) []string {
	var members, document string
	if c.Members != nil {
		members = strconv.Itoa(*c.Members)
	}
	if d := c.Document; d != nil {
		document = "version " + strconv.FormatInt(d.Version, 10) + ", " + size(d.Bytes)
	}
	return []string{plain(c.Channel), strconv.Itoa(c.Connections), members, document}
}

// maxPage is how many entries the server gives at once.
const maxPage = 1000

// page is what every page of a list has.
type page struct {
	reach
	More bool   `json:"more"`
	Next string `json:"next"`
}

// pages reads the pages of a list until limit entries are there. For people it hands each
// entry to add; with --json it prints each page in a line.
func pages[T any](ctx context.Context, s *site, out *printer, uri string, pairs []string, field string, limit int, add func(T)) (last page, err error) {
	for left := limit; left > 0; {
		more := append(pairs[:len(pairs):len(pairs)], "limit", strconv.Itoa(min(left, maxPage)), "after", last.Next)
		var raw json.RawMessage
		if last, raw, err = get[page](ctx, s, uri+query(more...)); err != nil {
			return last, err
		}
		var fields map[string]json.RawMessage
		var entries []T
		if err = json.Unmarshal(raw, &fields); err == nil {
			err = json.Unmarshal(fields[field], &entries)
		}
		if err != nil {
			return last, err
		}
		if out.json {
			if err = out.raw(raw); err != nil {
				return last, err
			}
		}
		for _, e := range entries {
			add(e)
		}
		left -= len(entries)
		if !last.More || len(entries) == 0 {
			break
		}
	}
	return last, nil
}
