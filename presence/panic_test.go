package presence

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// clumsy is a store whose first calls of each kind panic.
type clumsy struct {
	*node
	attach, enter, list int // panics that are still to come
}

func (c *clumsy) Attach(ctx context.Context, channel string) error {
	if c.attach--; c.attach >= 0 {
		panic("attach")
	}
	return c.node.Attach(ctx, channel)
}

func (c *clumsy) Enter(ctx context.Context, channel string, ms []*Member) error {
	if c.enter--; c.enter >= 0 {
		panic("enter")
	}
	return c.node.Enter(ctx, channel, ms)
}

func (c *clumsy) List(ctx context.Context, channel string, q Query) (Page, error) {
	if c.list--; c.list >= 0 {
		panic("list")
	}
	return c.node.List(ctx, channel, q)
}

// A store and an announcement that panic cost the room some time: it tries again, and all
// of its members are there in the end.
func TestPanicsOfRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		all := newCluster()
		s := newSite(t, all, Options{})
		s.store = &clumsy{s.node, 2, 2, 2}
		announce, left := s.announce, 2
		s.announce = func(channel string, f Frame) {
			if left--; left >= 0 {
				panic("announce")
			}
			announce(channel, f)
		}
		s.Apply(Settings{Room: func(string) Options { return Options{} }, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		s.enter("r", "ann", "1", Change{}, nil)
		s.enter("r", "bob", "2", Change{}, nil)
		pass(time.Minute)
		s.enter("r", "eve", "3", Change{}, nil)
		pass(time.Minute)
		page, err := s.Members(t.Context(), "r", Query{Limit: 10})
		if err != nil || page.Count != 3 || page.Partial {
			t.Errorf("%+v, %v", page, err)
		}
		for _, what := range []string{"attach", "enter", "list", "announce"} {
			if n := strings.Count(log.String(), "panic="+what); n != 2 {
				t.Errorf("%d panics of %s were logged", n, what)
			}
		}
	})
}
