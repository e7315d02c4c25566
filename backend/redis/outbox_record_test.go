package redis

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/notify"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// recorder is a node whose client records all events.
type recorder struct {
	t         *testing.T
	client    *Client
	outbox    *Outbox
	broker    hub.Broker
	members   presence.Store
	documents *document.Service
}

func newRecorder(t *testing.T, o Options) *recorder {
	t.Helper()
	c := open(t, o)
	r := &recorder{t: t, client: c, outbox: c.Outbox()}
	t.Cleanup(func() { r.outbox.Close() })
	r.outbox.Choose(notify.NewChoice(notify.Types, nil), notify.Bounds{})
	r.broker, r.members = c.Broker(deaf{}), c.Presence(newAlternating())
	t.Cleanup(func() { r.broker.Close(); r.members.Close() })
	var err error
	r.documents, err = document.New(func(sink document.Sink) (document.Store, error) { return c.Documents(sink), nil }, func(document.News) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.documents.Close() })
	return r
}

func (r *recorder) publish(m *hub.Message, o hub.PublishOptions) {
	r.t.Helper()
	if _, err := r.broker.Publish(r.t.Context(), m, o); err != nil {
		r.t.Fatal(err)
	}
}

func (r *recorder) change(channel, patch string) {
	r.t.Helper()
	p, e := document.ParsePatch([]byte(patch), document.Limits{})
	if e != nil {
		r.t.Fatal(e)
	}
	out, err := r.documents.Change(r.t.Context(), channel, document.Change{Key: "key of " + patch, Author: "ann", Latest: true, Patch: p}, document.Options{})
	if err != nil || out.Err != nil {
		r.t.Fatalf("%+v, %v", out, err)
	}
}

// events takes events from all queues until there are some of the last kind that is wanted. Then it
// waits whether more come.
func (r *recorder) events(want ...string) {
	r.t.Helper()
	var got []string
	for until := time.Now().Add(patience); len(got) < len(want) && time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		got = append(got, r.take()...)
	}
	time.Sleep(50 * time.Millisecond)
	got = append(got, r.take()...)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		r.t.Errorf("%d events are recorded:\n%s\nnot these %d:\n%s", len(got), strings.Join(got, "\n"), len(want), strings.Join(want, "\n"))
	}
}

// take takes the events that wait.
func (r *recorder) take() (got []string) {
	r.t.Helper()
	for _, q := range r.outbox.Queues() {
		c, err := q.Claim(r.t.Context(), notify.Claim{Sink: "test", Owner: "test", Lease: time.Minute})
		if err != nil {
			r.t.Fatal(err)
		}
		for {
			b, err := q.Next(r.t.Context(), "test", c.Fence, 100, 1<<20)
			if err != nil {
				r.t.Fatal(err)
			}
			if len(b.Events) == 0 {
				break
			}
			for _, e := range b.Events {
				got = append(got, describe(e))
			}
			if err := q.Done(r.t.Context(), "test", c.Fence, notify.Outcome{}); err != nil {
				r.t.Fatal(err)
			}
		}
	}
	return got
}

// describe returns what a test can know of an event.
func describe(e notify.Event) string {
	words := []string{string(e.Type), e.Channel, e.User, e.Connection, e.Status, string(e.Info), e.Sender, e.Event, string(e.Content), string(e.Patch)}
	if e.To != nil {
		words = append(words, "to "+e.To.User+e.To.Connection)
	}
	if e.Count > 0 {
		words = append(words, fmt.Sprint("count ", e.Count))
	}
	if e.Offset > 0 {
		words = append(words, fmt.Sprint("offset ", e.Offset))
	}
	if e.Version > 0 {
		words = append(words, fmt.Sprint("version ", e.Version))
	}
	return strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}

// Each script that decides something records it once, with all that the app gets.
func TestRecordingScripts(t *testing.T) {
	for name, start := range topologies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := start(t)
			a, b := newRecorder(t, o), newRecorder(t, o)
			a.recordsMessages(b)
			a.recordsMembers(b)
			a.recordsChanges(b)
		})
	}
}

func (r *recorder) recordsMessages(other *recorder) {
	r.t.Helper()
	kept := hub.Retention{Size: 10, TTL: time.Minute}
	r.publish(&hub.Message{Channel: "kept", Sender: "ann", Event: "said", Content: []byte(`"1"`)}, hub.PublishOptions{Retention: kept})
	for _, n := range []*recorder{r, other} { // the second one repeats it
		n.publish(&hub.Message{Channel: "kept", Content: []byte(`"2"`)}, hub.PublishOptions{Retention: kept, Key: "recorded"})
		n.publish(&hub.Message{Channel: "plain", Content: []byte(`"3"`)}, hub.PublishOptions{Key: "recorded"})
	}
	other.publish(&hub.Message{Channel: "plain", Sender: "bob", Content: []byte(`"4"`)}, hub.PublishOptions{})
	r.publish(&hub.Message{Channel: "plain", Content: []byte(`"5"`), Direct: &hub.Direct{To: hub.Address{User: "bob"}}}, hub.PublishOptions{})
	r.publish(&hub.Message{Channel: "plain", Content: []byte(`"6"`), Volatile: true}, hub.PublishOptions{}) // never recorded
	other.events(`message kept ann said "1" offset 1`, `message kept "2" offset 2`, `message plain "3"`,
		`message plain bob "4"`, `message plain "5" to bob`)
}

func (r *recorder) recordsMembers(other *recorder) {
	r.t.Helper()
	ctx := r.t.Context()
	must := func(err error) {
		r.t.Helper()
		if err != nil {
			r.t.Fatal(err)
		}
	}
	for _, n := range []*recorder{r, other} { // only the first one brings ann in
		must(n.members.Enter(ctx, "room", []*presence.Member{{Key: "ann", Status: "away", Info: `{"a":1}`}}))
	}
	must(r.members.Enter(ctx, "room", []*presence.Member{{Key: "bob"}}))
	must(r.members.Enter(ctx, "room", []*presence.Member{{Key: "bob", Status: "busy"}}))
	r.events(`entered room ann away {"a":1}`, `entered room bob`)
	must(r.members.Leave(ctx, "room", []presence.Departure{{Key: "ann"}, {Key: "bob"}}))
	r.events(`left room bob busy`)
	must(other.members.Leave(ctx, "room", []presence.Departure{{Key: "ann"}}))
	must(other.members.Leave(ctx, "room", []presence.Departure{{Key: "ann"}}))
	r.events(`left room ann away {"a":1}`)
}

func (r *recorder) recordsChanges(other *recorder) {
	r.t.Helper()
	for _, n := range []*recorder{r, other} { // the second one repeats it
		n.change("doc", `{"a":1}`)
	}
	other.change("doc", `{"b":2}`)
	r.events(`changed doc ann {"a":1} version 1`, `changed doc ann {"b":2} version 2`)
}

// What is not chosen is not recorded, and a node that records nothing records no part of a channel
// that other nodes record.
func TestRecordingScriptsChosen(t *testing.T) {
	t.Parallel()
	o := patientOptions(startServer(t).Addr)
	a, b := newRecorder(t, o), newRecorder(t, o)
	b.outbox.Choose(nil, notify.Bounds{})
	a.outbox.Choose(notify.NewChoice([]notify.Type{notify.Left}, func(c string) bool { return c == "room" }), notify.Bounds{})
	for _, n := range []*recorder{a, b} {
		for _, channel := range []string{"room", "other"} {
			key := channel + fmt.Sprint(n == a)
			if err := n.members.Enter(t.Context(), channel, []*presence.Member{{Key: key}}); err != nil {
				t.Fatal(err)
			}
			if err := n.members.Leave(t.Context(), channel, []presence.Departure{{Key: key}}); err != nil {
				t.Fatal(err)
			}
		}
		n.publish(&hub.Message{Channel: "room", Content: []byte("1")}, hub.PublishOptions{})
		n.change("room", fmt.Sprintf(`{"a":%t}`, n == a))
	}
	a.events("left room roomtrue")
}

// kill ends a node as a crash does: it reports nothing more, and renews no lease.
func (r *recorder) kill() {
	r.t.Helper()
	for _, s := range r.client.shards {
		s.batch.close()
	}
}

// Another node records what ends with a node that died, each once.
func TestDeadNodeIsRecorded(t *testing.T) {
	for name, start := range topologies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := start(t)
			o.Lease = time.Second
			a, b, c := newRecorder(t, o), newRecorder(t, o), newRecorder(t, o)
			const many = 300 // more than one script ends
			var begin, end []string
			for i := range many {
				key := fmt.Sprint("n", i)
				b.outbox.Connect(key, "ann")
				begin, end = append(begin, "connected ann "+key), append(end, "disconnected ann "+key)
			}
			for _, channel := range []string{"alone", "shared"} {
				b.outbox.Occupy(channel)
				begin = append(begin, "occupied "+channel)
				for i := range many {
					key := fmt.Sprint("m", i)
					if err := b.members.Enter(t.Context(), channel, []*presence.Member{{Key: key}}); err != nil {
						t.Fatal(err)
					}
					begin, end = append(begin, "entered "+channel+" "+key), append(end, "left "+channel+" "+key)
				}
			}
			a.events(begin...)
			for _, n := range []*recorder{a, c} {
				n.outbox.Occupy("shared")
				if err := n.members.Enter(t.Context(), "shared", []*presence.Member{{Key: "m0"}}); err != nil {
					t.Fatal(err)
				}
			}
			a.events()
			b.kill()
			end = slices.DeleteFunc(append(end, "vacated alone"), func(e string) bool { return e == "left shared m0" })
			a.events(end...)
		})
	}
}

// A node that was cut off for longer than its lease was reported as gone. When it is back, what it
// has comes again, and what ended meanwhile does not end twice.
func TestReapedNodeComesBack(t *testing.T) {
	t.Parallel()
	o := patientOptions(startServer(t).Addr)
	o.Lease = time.Second
	a, b := newRecorder(t, o), newRecorder(t, o)
	held := &b.outbox.queues[0].holds
	b.outbox.Connect("n1", "ann")
	b.outbox.Connect("n2", "ann")
	b.outbox.Occupy("room")
	a.events("connected ann n1", "connected ann n2", "occupied room")
	s := b.client.shards[0]
	s.do(t, "zadd", s.names.outboxNodes(), 1, held.node) // its lease is over
	a.outbox.Connect("n3", "bob")                        // a looks for dead nodes
	a.events("connected bob n3", "disconnected ann n1", "disconnected ann n2", "vacated room", "connected ann n1", "connected ann n2", "occupied room")
	b.outbox.Disconnect("n1", "ann")
	b.outbox.Disconnect("n2", "ann")
	b.outbox.Vacate("room")
	a.events("disconnected ann n1", "disconnected ann n2", "vacated room")
}

// If Redis loses its data, nothing starts a second time, and all that has started ends.
func TestConnectionsWhenRedisForgets(t *testing.T) {
	t.Parallel()
	o := patientOptions(startServer(t).Addr)
	a := newRecorder(t, o)
	a.outbox.Connect("n1", "ann")
	a.outbox.Connect("n2", "ann")
	a.outbox.Occupy("room")
	a.events("connected ann n1", "connected ann n2", "occupied room")
	a.client.shards[0].do(t, "flushall")
	a.outbox.Disconnect("n1", "ann")
	a.outbox.Connect("n3", "bob")
	a.events("disconnected ann n1", "connected bob n3")
	a.outbox.Disconnect("n2", "ann")
	a.outbox.Vacate("room")
	a.events("disconnected ann n2", "vacated room")
}

// While Redis is away all leases end. Nobody is reported as gone by that.
func TestLeasesWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	o := patientOptions(startServer(t).Addr)
	o.Lease = time.Second
	a, b := newRecorder(t, o), newRecorder(t, o)
	a.outbox.Connect("n1", "ann")
	b.outbox.Connect("n2", "bob")
	a.events("connected ann n1", "connected bob n2")
	s := a.client.shards[0]
	s.do(t, "eval", `for _, n in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '+inf')) do redis.call('ZADD', KEYS[1], 1, n) end`, 1, s.names.outboxNodes())
	a.outbox.Connect("n3", "ann") // a finds that all leases are over
	a.events("connected ann n3")
	b.outbox.Disconnect("n2", "bob")
	a.events("disconnected bob n2")
}

func (s *shard) do(t *testing.T, args ...any) {
	t.Helper()
	if _, err := s.batch.do(context.Background(), &call{args: args, repeatable: true}); err != nil {
		t.Fatal(err)
	}
}

// A report whose outcome is unknown is sent again as it was, although more waits by then. What
// Redis has executed already is not recorded twice, and what came later is recorded.
func TestReportIsRepeated(t *testing.T) {
	t.Parallel()
	o := patientOptions(startServer(t).Addr)
	a := newRecorder(t, o)
	a.outbox.Connect("n1", "ann")
	a.events("connected ann n1")
	b := newRecorder(t, o)
	q := b.outbox.queues[0]
	q.holds.cancel()
	q.wg.Wait() // from here on the test reports
	h := &q.holds
	h.have("cn2", true, "bob")
	h.nextReport()
	if result, err := h.send(t.Context(), h.open); err != nil || result != 1 {
		t.Fatal(result, err)
	}
	h.have("cn2", false, "bob")
	h.have("cn3", true, "bob")
	if _, err := h.report(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.events("connected bob n2", "disconnected bob n2", "connected bob n3")
}

// The end of a batch does not end the next one when it arrives a second time.
func TestLateEndOfABatch(t *testing.T) {
	t.Parallel()
	a := newRecorder(t, patientOptions(startServer(t).Addr))
	q := a.outbox.queues[0]
	for _, content := range []string{"1", "2"} {
		a.publish(&hub.Message{Channel: "room", Content: []byte(content)}, hub.PublishOptions{})
	}
	c, err := q.Claim(t.Context(), notify.Claim{Sink: "test", Owner: "test", Lease: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	next := func() notify.Batch {
		b, err := q.Next(t.Context(), "test", c.Fence, 1, 1<<20)
		if err != nil || len(b.Events) != 1 {
			t.Fatalf("%+v, %v", b, err)
		}
		return b
	}
	first := next()
	open := q.batchOf("test", c.Fence)
	if err := q.Done(t.Context(), "test", c.Fence, notify.Outcome{}); err != nil {
		t.Fatal(err)
	}
	second := next()
	if result, err := q.run(t.Context(), doneScript, "test", c.Fence, "0", 0, open.till, "", open.held); err != nil || result != int64(1) {
		t.Fatal(result, err)
	}
	if again := next(); second.ID == first.ID || again.ID != second.ID {
		t.Errorf("after %s and %s comes %s", first.ID, second.ID, again.ID)
	}
}
