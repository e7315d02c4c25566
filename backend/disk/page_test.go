package disk

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// reduced returns a broker with a room of a hundred messages, of which memory has few, because the
// room is in use and the bound is low.
func reduced(t *testing.T) (b *Broker, at []hub.Position) {
	t.Helper()
	_, b = open(t, Options{Dir: t.TempDir()})
	if err := b.Attach(t.Context(), "room", hundred); err != nil {
		t.Fatal(err)
	}
	at = append(at, page(t, b, "room", nil).Top)
	for i := range 100 {
		at = append(at, publish(t, b, "room", strings.Repeat("1", i+1), "", hundred).Position)
	}
	b.Memory().Resize(2000)
	if p, err := b.Memory().History(t.Context(), "room", hundred, hub.HistoryQuery{Limit: 100}); err != nil || len(p.Messages) > 20 {
		t.Fatalf("memory still has %d messages, %v", len(p.Messages), err)
	}
	return b, at
}

// A client that is further behind than memory gets its messages from the file, and so does one that asks
// for more of the newest messages than memory has.
func TestPageFromTheFile(t *testing.T) {
	t.Parallel()
	b, at := reduced(t)
	for _, since := range []int{0, 1, 40, 79} {
		for _, limit := range []int{0, 1, 20, 100} {
			p, err := b.History(t.Context(), "room", hundred, hub.HistoryQuery{Since: &at[since], Limit: limit})
			want := min(limit, 100-since)
			if err != nil || p.Lost || p.Top != at[100] || p.More != (since+want < 100) || len(p.Messages) != want {
				t.Fatalf("%d after %d: %d messages, lost %v, more %v, %v", limit, since, len(p.Messages), p.Lost, p.More, err)
			}
			for i, m := range p.Messages {
				if m.Position != at[since+1+i] || len(m.Content) != since+1+i {
					t.Fatalf("%d after %d: message %d is %+v", limit, since, i, m)
				}
			}
		}
	}
	for _, limit := range []int{1, 60, 100, 1000} {
		p, err := b.History(t.Context(), "room", hundred, hub.HistoryQuery{Limit: limit})
		want := min(limit, 100)
		if err != nil || p.Lost || p.More || p.Top != at[100] || len(p.Messages) != want || p.Messages[0].Position != at[101-want] || p.Messages[want-1].Position != at[100] {
			t.Errorf("the newest %d: %d messages, %+v, %v", limit, len(p.Messages), p.Top, err)
		}
	}
	if n, bound := b.Memory().Stats().Bytes, int64(2000); n > bound {
		t.Errorf("reading has filled the memory with %d bytes", n)
	}
}

// What the room no longer has is lost, although the file still has it.
func TestPageOfTheFileHasBounds(t *testing.T) {
	t.Parallel()
	b, at := reduced(t)
	for what, c := range map[string]struct {
		since hub.Position
		keep  hub.Retention
	}{
		"another anchor":    {hub.Position{Epoch: at[40].Epoch, Offset: 40, Anchor: 12345}, hundred},
		"another epoch":     {hub.Position{Epoch: "other", Offset: 40}, hundred},
		"a shorter history": {at[40], hub.Retention{Size: 59, TTL: time.Hour}},
		"a shorter ttl":     {at[40], hub.Retention{Size: 100, TTL: time.Nanosecond}},
	} {
		p, err := b.History(t.Context(), "room", c.keep, hub.HistoryQuery{Since: &c.since, Limit: 100})
		if err != nil || !p.Lost || p.Top != at[100] {
			t.Errorf("%s: %d messages, lost %v, %v", what, len(p.Messages), p.Lost, err)
		}
	}
	if p, err := b.History(t.Context(), "room", hub.Retention{Size: 60}, hub.HistoryQuery{Since: &at[40], Limit: 100}); err != nil || p.Lost || len(p.Messages) != 60 {
		t.Errorf("a history of 60: %d messages, lost %v, %v", len(p.Messages), p.Lost, err)
	}
}

// A page of large messages is cut, and the next one goes on from there.
func TestPageOfTheFileIsBounded(t *testing.T) {
	t.Parallel()
	s, err := Open(Options{Dir: t.TempDir(), Hub: "default"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Broker(deaf{}, memory.Options{HistoryBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, s, b) })
	if err := b.Attach(t.Context(), "room", hundred); err != nil {
		t.Fatal(err)
	}
	since := page(t, b, "room", nil).Top
	for i := range 10 {
		publish(t, b, "room", fmt.Sprint(i)+strings.Repeat("0", 1<<20), "", hundred)
	}
	var all []*hub.Message
	for pages := 0; ; pages++ {
		p := page(t, b, "room", &since)
		if all = append(all, p.Messages...); !p.More {
			if pages < 2 || len(all) != 10 || p.Lost {
				t.Errorf("%d messages in %d pages, lost %v", len(all), pages+1, p.Lost)
			}
			break
		}
		if p.Lost || len(p.Messages) == 0 || len(p.Messages) > 4 {
			t.Fatalf("a page of %d messages, lost %v", len(p.Messages), p.Lost)
		}
		since = p.Messages[len(p.Messages)-1].Position
	}
	if p := page(t, b, "room", nil); len(p.Messages) != 3 || p.Messages[2].Position != p.Top {
		t.Errorf("%d of the newest messages", len(p.Messages))
	}
}
