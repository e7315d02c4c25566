package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// connection is a connection in an answer.
type connection struct {
	Connection    string   `json:"connection"`
	Node          string   `json:"node"`
	User          string   `json:"user"`
	Address       string   `json:"address"`
	Transport     string   `json:"transport"`
	Dialect       string   `json:"dialect"`
	Since         moment   `json:"since"`
	Channels      []string `json:"channels"`
	Subscriptions int      `json:"subscriptions"`
	Queue         struct {
		Messages int   `json:"messages"`
		Bytes    int64 `json:"bytes"`
	} `json:"queue"`
}

func connectionsCommand(t *tool) *cobra.Command {
	var user, address, channel, transport, sort string
	var limit int
	c := &cobra.Command{
		Use:   "connections",
		Short: "List the connections of all nodes",
		Long:  "List the connections of all nodes: those with the fullest queue first, which are the slow ones.",
		Example: `  caddy realtime connections
  caddy realtime connections --user ann
  caddy realtime connections --from 203.0.113.0/24 --sort age`,
		Args: arguments(0, 0),
	}
	f := c.Flags()
	f.StringVar(&user, "user", "", "only those of this user")
	f.StringVar(&address, "from", "", "only those from this address or network")
	f.StringVar(&channel, "channel", "", "only those that subscribe to this channel")
	f.StringVar(&transport, "transport", "", "only those with this transport: websocket or sse")
	f.StringVar(&sort, "sort", "queue", "queue: the fullest queue first; age: the oldest first")
	f.IntVar(&limit, "limit", 100, "how many to show at most")
	c.RunE = t.run(func(ctx context.Context, out *printer, _ []string) error {
		s, err := t.site()
		if err != nil {
			return err
		}
		pairs := []string{"user", user, "address", address, "channel", channel, "transport", transport, "sort", sort}
		var all []connection
		last, err := pages(ctx, s, out, "/connections", pairs, "connections", limit, func(c connection) { all = append(all, c) })
		if err != nil || out.json {
			return err
		}
		connectionTable(out, all)
		last.warn(out)
		if last.More {
			out.note("there are more: --limit")
		}
		return nil
	})
	return c
}

func connectionTable(out *printer, all []connection) {
	var rows [][]string
	for _, c := range all {
		queue := "empty"
		if c.Queue.Messages > 0 {
			queue = strconv.Itoa(c.Queue.Messages) + ", " + size(c.Queue.Bytes)
		}
		rows = append(rows, []string{plain(c.Connection), plain(c.User), plain(c.Address), plain(c.Transport), plain(c.Dialect), c.Since.ago(), queue, plain(c.Node), channelNames(c)})
	}
	out.table("CONNECTION USER ADDRESS TRANSPORT DIALECT AGE QUEUE NODE CHANNELS", rows)
}

// channelNames names the first channels of a connection, and says how many others there are.
func channelNames(c connection) string {
	const most = 4
	first := c.Channels[:min(most, len(c.Channels))]
	var names []string
	for _, name := range first {
		names = append(names, plain(name))
	}
	text := strings.Join(names, " ")
	if more := c.Subscriptions - len(first); more > 0 {
		text += " and " + strconv.Itoa(more) + " more"
	}
	return text
}
