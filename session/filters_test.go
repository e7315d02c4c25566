package session

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/filter"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func mustCompile(t testing.TB, text string) *filter.Filter {
	t.Helper()
	f, err := filter.Compile(text, filter.Config)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// taste is a filter, once as an expression and once in Go.
type taste struct {
	text string
	want func(team string, level int) bool
}

var tastes = []taste{
	{"", func(string, int) bool { return true }},
	{`tags.team == "red"`, func(team string, _ int) bool { return team == "red" }},
	{`tags.level > 7`, func(_ string, level int) bool { return level > 7 }},
	{`tags.team in ["red", "blue"] && tags.level <= 3`, func(team string, level int) bool {
		return (team == "red" || team == "blue") && level <= 3
	}},
	{`false`, func(string, int) bool { return false }},
	{`content.level == 5`, func(_ string, level int) bool { return level == 5 }},
}

// seen is what a client gets, as far as this test reads it.
type seen struct {
	Type    string
	Payload struct {
		Epoch     string
		Offset    uint64
		Recovered *bool
		Messages  []seenMessage
		seenMessage
	}
}

type seenMessage struct {
	Offset  uint64
	Content struct{ N int }
}

// eater is a client with a filter. It remembers where it stands, and recovers from there.
type eater struct {
	t     *testing.T
	w     *world
	user  string
	taste taste
	conn  *testClient
	at    hub.Position
	seen  *checker.Subscriber
	got   []int
	gaps  int
}

// testClient is one connection of an eater.
type testClient struct {
	s    *Session
	wire *wire
}

func (e *eater) connect() {
	e.conn = &testClient{wire: newWire()}
	s, perr := e.w.registry.Open(&Principal{Subject: policy.Subject{User: e.user, Claims: map[string]string{"team": "red"}}}, Options{Transport: e.conn.wire, Encoder: native})
	if perr != nil {
		e.t.Fatal(perr)
	}
	e.conn.s = s
	q := protocol.Subscribe{Channel: "a"}
	if e.taste.text != "" {
		q.Filter = &e.taste.text
	}
	if !e.at.IsZero() {
		from := e.at
		q.Recover = &from
	}
	perr = s.Subscribe(e.t.Context(), q, SubscribeOptions{Reply: func(sub Subscribed) []hub.Event {
		return []hub.Event{protocol.SubscribedReply{Channel: "a", Position: sub.Position, Recover: q.Recover != nil, Recovered: sub.Recovered, Messages: sub.Messages}}
	}})
	if perr != nil {
		e.t.Fatal(perr)
	}
	synctest.Wait()
	e.eat() // without a position it could not recover
}

// eat reads what has come.
func (e *eater) eat() {
	for _, line := range e.conn.wire.take() {
		var ev seen
		if err := json.Unmarshal([]byte(line), &ev); err != nil {
			e.t.Fatalf("%q: %v", line, err)
		}
		p := ev.Payload
		switch ev.Type {
		case "subscribed":
			if p.Recovered != nil && !*p.Recovered {
				e.gaps++
			}
			top := checker.Position{Epoch: p.Epoch, Offset: p.Offset}
			var missed []checker.Message
			for _, m := range p.Messages {
				e.take(m)
				missed = append(missed, checker.Message{Position: checker.Position{Epoch: p.Epoch, Offset: m.Offset}, ID: fmt.Sprint(m.Content.N)})
			}
			e.seen.Subscribed("a", top, p.Recovered != nil && *p.Recovered, missed...)
			e.at = hub.Position{Epoch: p.Epoch, Offset: p.Offset}
		case "message":
			e.take(seenMessage{p.Offset, p.Content})
			e.seen.Message("a", checker.Position{Epoch: e.at.Epoch, Offset: p.Offset}, fmt.Sprint(p.Content.N))
		case "position":
			e.seen.Position("a", checker.Position{Epoch: p.Epoch, Offset: p.Offset})
			e.at = hub.Position{Epoch: p.Epoch, Offset: max(e.at.Offset, p.Offset)}
		case "gap":
			e.gaps++
			e.seen.Gap("a", checker.Position{Epoch: p.Epoch, Offset: p.Offset})
			e.at = hub.Position{Epoch: p.Epoch, Offset: p.Offset}
		}
	}
}

func (e *eater) take(m seenMessage) {
	if m.Offset <= e.at.Offset {
		e.t.Errorf("%q: offset %d after %d", e.taste.text, m.Offset, e.at.Offset)
	}
	e.at.Offset = m.Offset
	e.got = append(e.got, m.Content.N)
}

// Against random publishes, cuts and recoveries, each client gets what a filter in Go would choose,
// in order and without a hole, because the history is long enough.
func TestFiltersAgreeWithNaiveOnes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		synctest.Test(t, func(t *testing.T) { testNaive(t, rand.New(rand.NewPCG(seed, 1)), seed%2 == 1, 2000) })
	}
}

// If the history is too short for some recoveries, each client gets without a hole what passes, or
// a gap.
func TestFiltersWithGaps(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		synctest.Test(t, func(t *testing.T) { testNaive(t, rand.New(rand.NewPCG(seed, 2)), seed%2 == 1, 4) })
	}
}

func testNaive(t *testing.T, r *rand.Rand, forced bool, history int) {
	room := kept("a", history)
	also := func(string) bool { return true }
	if forced {
		room.Filter = mustCompile(t, `tags.team == claim.team || sender == user`)
		also = func(team string) bool { return team == "red" }
	}
	w := newWorld(t, Limits{}, room)
	var eaters []*eater
	records := checker.New(checker.Options{})
	sent := records.Publisher("app")
	passes := make([]map[string]bool, 18) // by eater, the messages that a filter in Go chooses
	for i := range passes {
		e := &eater{t: t, w: w, user: fmt.Sprint("u", i), taste: tastes[i%len(tastes)], seen: records.Subscriber(fmt.Sprint("u", i))}
		passes[i] = make(map[string]bool)
		e.seen.Filter("a", func(id string) bool { return passes[i][id] })
		e.connect()
		eaters = append(eaters, e)
	}
	want := make([][]int, len(eaters))
	for n := range 300 {
		team, level := []string{"red", "blue", "green"}[r.IntN(3)], r.IntN(10)
		m := protocol.Publish{Channel: "a", Content: fmt.Appendf(nil, `{"n":%d,"level":%d}`, n, level), Tags: fmt.Appendf(nil, `{"team":%q,"level":%d}`, team, level)}
		if r.IntN(5) == 0 {
			m.Tags, team = nil, ""
		}
		sent.Sent("a", fmt.Sprint(n))
		out, perr := w.registry.Publishing.Publish(t.Context(), Caller{App: true}, m)
		if perr != nil {
			t.Fatal(perr)
		}
		sent.Acked("a", fmt.Sprint(n), checker.Position{Epoch: out.Position.Epoch, Offset: out.Position.Offset})
		for i, e := range eaters {
			naive := also(team) && (m.Tags != nil || !strings.Contains(e.taste.text, "tags")) && e.taste.want(team, level)
			if naive {
				want[i] = append(want[i], n)
				passes[i][fmt.Sprint(n)] = true
			}
		}
		switch r.IntN(12) {
		case 0: // cut: some of what came may not have been read
			e := eaters[r.IntN(len(eaters))]
			if r.IntN(2) == 0 {
				synctest.Wait()
				e.eat()
			}
			e.conn.s.Conn().Close(hub.ReasonLost)
			synctest.Wait()
			e.seen.Disconnected()
			e.connect()
		case 1:
			time.Sleep(time.Duration(r.IntN(40)) * time.Second)
		case 2:
			synctest.Wait()
			for _, e := range eaters {
				e.eat()
			}
		}
	}
	time.Sleep(time.Minute)
	synctest.Wait()
	for i, e := range eaters {
		e.eat()
		if history > 300 && (!slices.Equal(e.got, want[i]) || e.gaps > 0) {
			t.Errorf("%q: %d gaps, got %v, want %v", e.taste.text, e.gaps, e.got, want[i])
		}
		if e.at.Offset != 300 {
			t.Errorf("%q: the client stands at %d of 300", e.taste.text, e.at.Offset)
		}
	}
	if r := records.Check(); !r.OK() || r.Recovered == 0 {
		t.Error(r)
	}
}

// pour publishes messages of teams, one after the other, and returns what a client got.
func (w *world) pour(c *client, teams ...string) []string {
	w.t.Helper()
	for i, team := range teams {
		m := protocol.Publish{Channel: "a", Content: fmt.Appendf(nil, `"%s%d"`, team, i), Tags: fmt.Appendf(nil, `{"team":%q}`, team)}
		if _, e := w.registry.Publishing.Publish(w.t.Context(), Caller{App: true}, m); e != nil {
			w.t.Fatal(e)
		}
	}
	synctest.Wait()
	return contents(c)
}

func contents(c *client) (list []string) {
	for _, line := range c.wire.take() {
		var ev struct {
			Type    string
			Payload struct{ Content any }
		}
		if json.Unmarshal([]byte(line), &ev) == nil && ev.Type == "message" {
			list = append(list, fmt.Sprint(ev.Payload.Content))
		}
	}
	return list
}

func (w *world) subscribeWith(c *client, text string) *protocol.Error {
	return c.Subscribe(w.t.Context(), protocol.Subscribe{Channel: "a", Filter: &text}, SubscribeOptions{})
}

func TestFilterIsReplaced(t *testing.T) {
	inBubble(t, Limits{}, []policy.Room{kept("a", 10)}, func(t *testing.T, w *world) {
		c := w.connect("ann")
		if e := w.subscribeWith(c, `tags.team == "red"`); e != nil {
			t.Fatal(e)
		}
		expect := func(want ...string) {
			t.Helper()
			if got := w.pour(c, "red", "blue"); !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		}
		expect("red0")
		if e := w.subscribeWith(c, `tags.team == "blue"`); e != nil {
			t.Fatal(e)
		}
		expect("blue1")
		if e := w.subscribeWith(c, `tags.team ==`); e == nil || e.Code != protocol.InvalidMessage || !strings.Contains(e.Message, "filter: ") {
			t.Errorf("a bad filter: %v", e)
		}
		expect("blue1")
		if e := w.subscribeWith(c, `user == "ann"`); e == nil || !strings.Contains(e.Message, "can not see user") {
			t.Errorf("a filter over the user: %v", e)
		}
		if e := w.subscribeWith(c, ""); e != nil {
			t.Fatal(e)
		}
		expect("red0", "blue1")
		if e := c.Subscribe(t.Context(), protocol.Subscribe{Channel: "a"}, SubscribeOptions{}); e == nil || e.Code != protocol.AlreadySubscribed {
			t.Errorf("without a filter: %v", e)
		}
		if e := c.Unsubscribe("a", nil); e != nil {
			t.Fatal(e)
		}
		if len(c.places) != 0 {
			t.Error("the session keeps the filter of a channel that it left")
		}
	})
}

// A filter of the configuration holds for what is there already, after a reload and for another
// principal, and for the history.
func TestForcedFilter(t *testing.T) {
	inBubble(t, Limits{}, []policy.Room{kept("a", 100)}, func(t *testing.T, w *world) {
		c := w.connect("ann")
		if e := c.Subscribe(t.Context(), protocol.Subscribe{Channel: "a"}, SubscribeOptions{}); e != nil {
			t.Fatal(e)
		}
		if got := w.pour(c, "red", "ann"); len(got) != 2 {
			t.Errorf("before: %v", got)
		}
		room := kept("a", 100)
		room.Filter = mustCompile(t, `tags.team == user`)
		w.rules(room)
		if got := w.pour(c, "red", "ann"); !slices.Equal(got, []string{"ann1"}) {
			t.Errorf("after a reload: %v", got)
		}
		if e := w.subscribeWith(c, `content == "none"`); e != nil {
			t.Fatal(e)
		}
		if got := w.pour(c, "red", "ann"); len(got) != 0 {
			t.Errorf("with a filter of its own: %v", got)
		}
		for limit, want := range map[int]int{1: 1, 2: 2, 100: 3} {
			page, e := c.History(t.Context(), protocol.History{Channel: "a", Limit: limit})
			if e != nil || len(page.Messages) != want {
				t.Errorf("history of %d: %d messages, %v", limit, len(page.Messages), e)
			}
		}
		since := hub.Position{}
		page, e := c.History(t.Context(), protocol.History{Channel: "a", Limit: 0})
		if e != nil {
			t.Fatal(e)
		}
		since.Epoch = page.Top.Epoch
		page, e = c.History(t.Context(), protocol.History{Channel: "a", Limit: 2, Since: &since})
		if e != nil || len(page.Messages) != 2 || !page.More || page.Messages[1].Position.Offset != 4 {
			t.Errorf("the first page: %+v, %v", page, e)
		}
		since = page.Messages[1].Position
		page, e = c.History(t.Context(), protocol.History{Channel: "a", Limit: 2, Since: &since})
		if e != nil || len(page.Messages) != 1 || page.More {
			t.Errorf("the last page: %+v, %v", page, e)
		}
		all, e := w.registry.Publishing.History(t.Context(), Caller{App: true}, protocol.History{Channel: "a", Limit: 100})
		if e != nil || len(all.Messages) != 6 {
			t.Errorf("the app: %d messages, %v", len(all.Messages), e)
		}
	})
}

// A history that a filter chooses from is read on until the page is full, and says whether there is more.
func TestFilteredHistoryIsReadOn(t *testing.T) {
	const every, total = 100, 11 * protocol.MaxHistory
	room := kept("a", total)
	room.Filter = mustCompile(t, `sender == user`)
	inBubble(t, Limits{}, []policy.Room{room}, func(t *testing.T, w *world) {
		c := w.connect("ann")
		publish := func(user string) {
			if e := w.into(Caller{Principal: named(user)}, "a", `1`); e != nil {
				t.Fatal(e)
			}
		}
		for i := range total {
			publish(map[bool]string{true: "ann", false: "bob"}[i%every == every-1])
		}
		top, e := c.History(t.Context(), protocol.History{Channel: "a"})
		if e != nil || top.Top.Offset != total {
			t.Fatalf("%+v, %v", top, e)
		}
		by := c
		read := func(limit int, after uint64) (n int, last uint64, more bool) {
			t.Helper()
			since := hub.Position{Epoch: top.Top.Epoch, Offset: after}
			page, e := by.History(t.Context(), protocol.History{Channel: "a", Limit: limit, Since: &since})
			if e != nil {
				t.Fatal(e)
			}
			for _, m := range page.Messages {
				last = m.Position.Offset
			}
			return len(page.Messages), last, page.More
		}
		perPage := protocol.MaxHistory / every
		if n, last, more := read(perPage+1, 0); n != perPage+1 || last != uint64(every*(perPage+1)) || !more {
			t.Errorf("over two pages: %d messages up to %d, more %v", n, last, more)
		}
		// The end of the history, in a page that is just full.
		if n, last, more := read(2, total-2*every); n != 2 || last != total || more {
			t.Errorf("the last page: %d messages up to %d, more %v", n, last, more)
		}
		if n, last, more := read(2, total-3*every); n != 2 || last != total-every || !more {
			t.Errorf("the last page but one: %d messages up to %d, more %v", n, last, more)
		}
		// Enough was looked at: the page has what was found, and the client continues behind it.
		if n, last, more := read(protocol.MaxHistory, 0); n != maxScanned/every || last != maxScanned || !more {
			t.Errorf("after %d messages: %d messages up to %d, more %v", maxScanned, n, last, more)
		}
		// No message passes until the newest: everything is looked at.
		by = w.connect("cleo")
		if n, _, more := read(2, 1); n != 0 || more {
			t.Errorf("none passes: %d messages, more %v", n, more)
		}
		publish("cleo")
		if n, last, more := read(2, 1); n != 1 || last != total+1 || more {
			t.Errorf("the newest passes: %d messages up to %d, more %v", n, last, more)
		}
	})
}

// A client learns how far a channel is: with each heartbeat, and at most once a second before.
func TestPosition(t *testing.T) {
	inBubble(t, Limits{}, []policy.Room{kept("a", 8)}, func(t *testing.T, w *world) {
		c := w.connect("ann")
		if e := w.subscribeWith(c, "false"); e != nil {
			t.Fatal(e)
		}
		positions := func() (list []uint64) {
			for _, line := range c.wire.take() {
				var ev seen
				if json.Unmarshal([]byte(line), &ev) == nil && ev.Type == "position" {
					list = append(list, ev.Payload.Offset)
				}
			}
			return list
		}
		publish := func(n int) {
			for range n {
				if _, e := w.registry.Publishing.Publish(t.Context(), Caller{App: true}, protocol.Publish{Channel: "a", Content: []byte("1")}); e != nil {
					t.Fatal(e)
				}
			}
			synctest.Wait()
		}
		publish(1)
		if got := positions(); got != nil {
			t.Errorf("at once: %v", got)
		}
		time.Sleep(hub.DefaultHeartbeat)
		if got := positions(); !slices.Equal(got, []uint64{1}) {
			t.Errorf("with a heartbeat: %v", got)
		}
		publish(6)
		if got := positions(); len(got) != 1 {
			t.Errorf("when a part of the history was passed over: %v", got)
		}
		time.Sleep(hub.DefaultHeartbeat)
		if got := positions(); len(got) > 1 || len(got) == 1 && got[0] != 7 {
			t.Errorf("with the next heartbeat: %v", got)
		}
		time.Sleep(2 * hub.DefaultHeartbeat)
		if got := positions(); got != nil {
			t.Errorf("although the client knows: %v", got)
		}
	})
}
