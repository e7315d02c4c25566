package redis

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/faultproxy"
)

// awaitAnswers asks until exactly these nodes answer, and so many are missing.
func (s *executorStub) awaitAnswers(t *testing.T, question string, missing int, from ...*executorStub) {
	t.Helper()
	var want []string
	for _, other := range from {
		want = append(want, other.Node()+" to "+question)
	}
	slices.Sort(want)
	var got []string
	var all hub.Replies
	var err error
	for over := time.Now().Add(patience); time.Now().Before(over); {
		all, err = s.Ask(t.Context(), []byte(question))
		got = nil
		for _, r := range all.Replies {
			if !strings.HasPrefix(string(r.Body), r.Node) {
				t.Errorf("%s says %s", r.Node, r.Body)
			}
			got = append(got, string(r.Body))
		}
		slices.Sort(got)
		if err == nil && slices.Equal(got, want) && all.Missing == missing {
			return
		}
	}
	t.Errorf("got %q, %d missing, %v; want %q, %d missing", got, all.Missing, err, want, missing)
}

func TestQuestions(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	p := faultproxy.Start(t, r.Addr)
	o, far := quickOptions(r.Addr), quickOptions(p.Addr())
	o.Lease, far.Lease = time.Minute, time.Minute
	a, b, c := newServant(t, o, 0).awaitReady(t), newServant(t, o, 0).awaitReady(t), newServant(t, far, 0).awaitReady(t)
	const odd = ":x:{}\x00\xff"
	a.awaitAnswers(t, odd, 0, b, c)
	b.awaitAnswers(t, "y", 0, a, c)
	b.plain = true
	a.awaitAnswers(t, "strange", 1, c)
	start := time.Now()
	if _, err := a.Ask(t.Context(), []byte("strange")); err != nil || time.Since(start) >= replyTime {
		t.Errorf("a node that does not understand is waited for: %v, %v", time.Since(start), err)
	}
	// A node that is cut off is missing, and itself gets no answers.
	p.Away()
	if _, err := c.Ask(t.Context(), []byte("x")); !errors.Is(err, hub.ErrUnavailable) {
		t.Errorf("without Redis: %v", err)
	}
	a.awaitAnswers(t, "x", 1, b)
	p.Heal()
	a.awaitAnswers(t, "x", 0, b, c)
	// A node that has closed is not missing.
	b.Close()
	a.awaitAnswers(t, "x", 0, c)
}

// A node that has died is missing until its lease is over.
func TestQuestionsAfterDeath(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	o := quickOptions(r.Addr)
	a := newServant(t, o, 0).awaitReady(t)
	short := time.Now().UnixMilli() + 2*a.c.o.Lease.Milliseconds()
	r.do("zadd", a.c.names.announced(), short, "dead")
	a.awaitAnswers(t, "x", 1)
	a.awaitAnswers(t, "x", 0)
}
