package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

const (
	// layoutFormat is the number of the format in which rooms are stored. It grows when nodes
	// of the old format can not share rooms with nodes of the new one.
	layoutFormat = 1
	// layoutReminder is how often the same difference is logged.
	layoutReminder = 10 * time.Minute
)

// layouts make sure that all nodes divide the channels in the same way. The number and order of
// the shards decide which shard has a channel. Nodes that disagree look for the same room in
// different places, and nothing fails.
//
// So each node announces its layout where the others see it: in every Redis, and in a cluster
// under a name that does not depend on the partitions. An announcement expires, and the node
// repeats it in time. So nodes that have ended do not prevent a change.
type layouts struct {
	// Set by newLayouts.
	places     []layout
	ownBatcher *batcher // in a cluster, where no shard has the name; otherwise nil
	ctx        context.Context
	cancel     context.CancelFunc
	wg         sync.WaitGroup // each place has a goroutine that repeats the announcement

	joined bool // owned by Join and Close, which are not called at the same time
}

// layout is what a node announces in one place.
type layout struct {
	batch *batcher
	key   string
	text  string // for operators, and compared with the texts of other nodes
	node  string
	every time.Duration
	log   *slog.Logger
}

func newLayouts(o Options, shards []*shard, node string) *layouts {
	host, _ := os.Hostname() // only operators see it
	l := layout{
		key: names{o.Prefix}.layouts(), node: node + " " + strings.Join(strings.Fields(host), "-"),
		every: o.Check, log: o.Logger,
	}
	ls := new(layouts)
	ls.ctx, ls.cancel = context.WithCancel(context.Background())
	if to, ok := shards[0].primary.(slotPrimary); ok {
		to.slotKey = l.key
		ls.ownBatcher = newBatcher(to, o.Timeout, o.Logger)
		l.batch, l.text = ls.ownBatcher, layoutText(fmt.Sprintf("a cluster in %d partitions", len(shards)))
		ls.places = append(ls.places, l)
		return ls
	}
	for i, s := range shards {
		l.batch, l.text = s.batch, layoutText(fmt.Sprintf("Redis %d of %d", i+1, len(shards)))
		ls.places = append(ls.places, l)
	}
	return ls
}

func layoutText(what string) string { return fmt.Sprintf("%s (format %d)", what, layoutFormat) }

// Join announces how this node divides the channels between the shards, and keeps announcing
// it. It fails if there are other nodes and all of them divide the channels differently: this
// node would not see their rooms. If Redis is away, Join can not compare and succeeds. A
// difference that is found later is logged, and no connection is closed. Without Join nothing
// is compared.
func (c *Client) Join(ctx context.Context) error {
	ls := c.layouts
	ls.joined = true
	refusals := make(chan error, len(ls.places))
	_ = inParallel(ls.places, func(l layout) error {
		ctx, cancel := context.WithTimeout(ctx, 2*l.batch.timeout)
		defer cancel()
		if others, said, err := l.announce(ctx, true); err == nil && !said {
			refusals <- l.refusal(others)
		}
		return nil
	})
	select {
	case err := <-refusals: // one error is enough
		return fmt.Errorf("redis: %w", err)
	default:
	}
	for _, l := range ls.places {
		ls.wg.Go(func() {
			guard.Loop(ls.ctx.Done(), l.log, "the comparison of layouts", func() { l.announceUntilClosed(ls.ctx) })
		})
	}
	return nil
}

// close removes the announcements, if Redis can be reached.
func (ls *layouts) close() {
	ls.cancel()
	ls.wg.Wait()
	if ls.joined {
		_ = inParallel(ls.places, func(l layout) error { l.withdraw(); return nil })
	}
	if ls.ownBatcher != nil {
		ls.ownBatcher.close()
	}
}

// announce writes the announcement. It returns the announcements of others that differ.
func (l layout) announce(ctx context.Context, first bool) (others []string, said bool, err error) {
	flag := "0"
	if first {
		flag = "1"
	}
	result, err := l.batch.do(ctx, &call{
		script: layoutScript, keys: []string{l.key}, repeatable: true,
		args: []any{l.text, l.node, (3 * l.every).Milliseconds(), flag},
	})
	if err != nil {
		return nil, false, err
	}
	reply, ok := result.([]any)
	if !ok || len(reply) != 2 {
		return nil, false, unexpected(result)
	}
	return texts(reply[1]), reply[0] == int64(1), nil
}

func (l layout) withdraw() {
	ctx, cancel := context.WithTimeout(context.Background(), l.batch.timeout)
	defer cancel()
	_, _ = l.batch.do(ctx, &call{args: []any{"zrem", l.key, l.text + "\n" + l.node}})
}

// announceUntilClosed repeats the announcement, and logs which nodes differ.
func (l layout) announceUntilClosed(ctx context.Context) {
	var known string
	var told time.Time
	for pause(ctx, l.every*3/4+rand.N(l.every/2)) == nil {
		others, _, err := l.announce(ctx, false)
		if err != nil {
			continue // that Redis is away is logged elsewhere
		}
		there, hosts := describeOthers(others)
		switch {
		case there == "" && known != "":
			l.log.Info("all nodes divide the channels in the same way again")
		case there != "" && (there != known || time.Since(told) > layoutReminder):
			told = time.Now()
			l.log.Error("nodes that share Redis divide the channels differently and do not see each other's rooms; "+layoutAdvice,
				"here", l.text, "there", there, "hosts", hosts)
		}
		known = there
	}
}

const layoutAdvice = "give all nodes the same addresses of Redis in the same order, or the same number of partitions, and restart those that differ"

func (l layout) refusal(others []string) error {
	there, hosts := describeOthers(others)
	return errors.New("this node would not see the rooms of the others: it divides the channels as " + l.text +
		", and they as " + there + ", on " + hosts + "; " + layoutAdvice +
		fmt.Sprintf(". To change all, stop all before; a node that was killed counts for %v more", 3*l.every))
}

// describeOthers lists the layouts of other nodes and their hosts, each once.
func describeOthers(others []string) (there, hosts string) {
	var layouts, on []string
	for _, said := range others {
		text, node, _ := strings.Cut(said, "\n")
		_, host, _ := strings.Cut(node, " ")
		layouts, on = append(layouts, text), append(on, host)
	}
	return listDistinct(layouts), listDistinct(on)
}

// listDistinct lists words in order, at most a few.
func listDistinct(words []string) string {
	slices.Sort(words)
	words = slices.Compact(words)
	if more := len(words) - 5; more > 0 {
		words = append(words[:5], fmt.Sprintf("%d more", more))
	}
	return strings.Join(words, ", ")
}
