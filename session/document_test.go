package session

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// desk is an open room with a document.
func desk(o document.Options) policy.Room {
	r := open("doc")[0]
	r.Document = &o
	return r
}

// stubborn is a store that can be made to fail, and to wait.
type stubborn struct {
	document.Store
	world    *world
	fail     error
	during   func() // runs inside Load
	attached int
}

func (s *stubborn) Attach(ctx context.Context, channel string) error {
	s.world.broker.set(func() { s.attached++ })
	return s.Store.Attach(ctx, channel)
}

func (s *stubborn) Detach(channel string) {
	s.world.broker.set(func() { s.attached-- })
	s.Store.Detach(channel)
}

func (s *stubborn) Load(ctx context.Context, channel string, known document.Known) (document.Record, error) {
	if s.during != nil {
		s.during()
	}
	if s.fail != nil {
		return document.Record{}, s.fail
	}
	return s.Store.Load(ctx, channel, known)
}

// withDocuments gives a world's registry its documents.
func withDocuments(t testing.TB, w *world) *stubborn {
	store := &stubborn{world: w}
	docs, err := document.New(
		func(s document.Sink) (document.Store, error) {
			store.Store = memory.NewDocumentStore(s)
			return store, nil
		},
		func(n document.News) { w.hub.Announce(n.Channel, DocumentEvent(n)) },
	)
	if err != nil {
		t.Fatal(err)
	}
	w.registry.WithDocuments(docs)
	return store
}

func atDesk(t *testing.T, rooms []policy.Room, test func(t *testing.T, w *world, store *stubborn)) {
	inBubble(t, Limits{}, rooms, func(t *testing.T, w *world) { test(t, w, withDocuments(t, w)) })
}

func changeFrame(local, base int, patch string) string {
	return fmt.Sprintf(`{"type":"change","id":%d,"payload":{"channel":"doc","client":"c","localVersion":%[1]d,"baseVersion":%d,"patch":%s}}`, local, base, patch)
}

func subscribedDoc(version int, state string) string {
	return fmt.Sprintf(`{"type":"subscribed","payload":{"channel":"doc","document":{"version":%d,"state":%s}}}`, version, state)
}

func acceptedFrame(local, version int, more string) string {
	return fmt.Sprintf(`{"type":"change-accepted","id":%d,"payload":{"channel":"doc","localVersion":%[1]d,"serverVersion":%d%s}}`, local, version, more)
}

func rejectedFrame(local int, code protocol.Code, version int, state string) string {
	return fmt.Sprintf(`{"type":"change-rejected","id":%d,"payload":{"channel":"doc","localVersion":%[1]d,"code":%q,"serverVersion":%d,"serverState":%s}}`, local, code, version, state)
}

func remoteFrame(version int, sender, patch string) string {
	if sender != "" {
		sender = fmt.Sprintf(`"sender":%q,`, sender)
	}
	return fmt.Sprintf(`{"type":"remote-change","payload":{"channel":"doc","serverVersion":%d,%s"patch":%s}}`, version, sender, patch)
}

const subscribeDoc = `{"type":"subscribe","payload":{"channel":"doc"}}`

func TestDocument(t *testing.T) {
	atDesk(t, []policy.Room{desk(document.Options{})}, func(t *testing.T, w *world, store *stubborn) {
		ann, bob := w.connect("ann"), w.connect("bob")
		ann.say(changeFrame(1, 0, `{}`))
		ann.hears(failure("1", protocol.NotSubscribed))
		ann.say(subscribeDoc, changeFrame(1, 0, `{"title":"x","list":[1]}`))
		ann.hears(subscribedDoc(0, `{}`), acceptedFrame(1, 1, ""))
		bob.say(subscribeDoc)
		bob.hears(subscribedDoc(1, `{"list":[1],"title":"x"}`))

		bob.say(changeFrame(1, 1, `{"title":"y"}`))
		bob.hears(acceptedFrame(1, 2, ""))
		ann.hears(remoteFrame(2, "bob", `{"title":"y"}`))
		ann.say(changeFrame(2, 1, `{"title":"z"}`), changeFrame(3, 1, `[{"op":"add","path":"/list/-","value":2}]`))
		ann.hears(rejectedFrame(2, protocol.Conflict, 2, `{"list":[1],"title":"y"}`), acceptedFrame(3, 3, ""))
		bob.hears(remoteFrame(3, "ann", `[{"op":"add","path":"/list/-","value":2}]`))

		// After a lost connection: made once, and answered as before. Somebody else's
		// change with the same name is another one.
		again := w.connect("ann")
		again.say(subscribeDoc, changeFrame(3, 1, `[{"op":"add","path":"/list/-","value":2}]`))
		again.hears(subscribedDoc(3, `{"list":[1,2],"title":"y"}`), acceptedFrame(3, 3, `,"duplicate":true`))
		bob.say(changeFrame(3, 3, `{"n":1}`))
		bob.hears(acceptedFrame(3, 4, ""))

		for patch, code := range map[string]protocol.Code{
			`7`: protocol.InvalidMessage, `{"__proto__":1}`: protocol.InvalidMessage, `[{"op":"remove","path":"/x"}]`: protocol.InvalidMessage,
			`[{"op":"replace","path":"","value":1}]`: protocol.InvalidMessage, `[{"op":"test","path":"/n","value":2}]`: protocol.Conflict,
		} {
			bob.say(changeFrame(4, 4, patch))
			bob.hears(rejectedFrame(4, code, 4, `{"list":[1,2],"n":1,"title":"y"}`))
		}
		bob.say(changeFrame(5, 9, `{}`))
		bob.hears(rejectedFrame(5, protocol.Conflict, 4, `{"list":[1,2],"n":1,"title":"y"}`))
		bob.say(`{"type":"change","id":6,"payload":{"channel":"doc","localVersion":6,"baseVersion":4,"epoch":"other","patch":{}}}`)
		bob.hears(rejectedFrame(6, protocol.Conflict, 4, `{"list":[1,2],"n":1,"title":"y"}`))
		if store.attached != 3 {
			t.Errorf("%d attached", store.attached)
		}
		bob.say(`{"type":"unsubscribe","payload":{"channel":"doc"}}`)
		again.Conn().Close(hub.ReasonNormal)
		synctest.Wait()
		if store.attached != 1 {
			t.Errorf("%d attached after one has left and one is gone", store.attached)
		}
	})
}

func TestDocumentRules(t *testing.T) {
	readers, closed, plainRoom := desk(document.Options{}), desk(document.Options{}), open("plain")[0]
	readers.Publish, readers.ChangeAccess = policy.Users, policy.Users
	closed.Pattern, closed.Publish = "closed", policy.Server
	slow := desk(document.Options{})
	slow.Pattern, slow.Rate = "slow", policy.Rate{PerSecond: 1, Burst: 1}
	atDesk(t, []policy.Room{readers, closed, plainRoom, slow}, func(t *testing.T, w *world, _ *stubborn) {
		nobody, ann := w.connect(""), w.connect("ann")
		nobody.say(subscribeDoc, changeFrame(1, 0, `{}`))
		nobody.hears(subscribedDoc(0, `{}`), failure("1", protocol.Unauthorized))
		ann.say(strings.ReplaceAll(changeFrame(1, 0, `{}`), `"doc"`, `"closed"`))
		ann.hears(failure("1", protocol.Forbidden))
		ann.say(`{"type":"subscribe","payload":{"channel":"plain"}}`, strings.ReplaceAll(changeFrame(1, 0, `{}`), `"doc"`, `"plain"`))
		ann.hears(`{"type":"subscribed","payload":{"channel":"plain"}}`, failure("1", protocol.Forbidden))
		ann.say(strings.ReplaceAll(subscribeDoc, `"doc"`, `"slow"`))
		for i := range 2 {
			ann.say(strings.ReplaceAll(changeFrame(i+1, i, `{}`), `"doc"`, `"slow"`))
		}
		synctest.Wait()
		if got := strings.Join(ann.wire.take(), "\n"); !strings.Contains(got, `"change-accepted","id":1`) || !strings.Contains(got, string(protocol.RateLimited)) {
			t.Error(got)
		}

		w.rules(open("doc")...) // the document is turned off
		ann.say(changeFrame(2, 0, `{}`))
		synctest.Wait()
		ann.wire.take()
		w.rules(readers) // and on: who was there does not have it
		nobody.wire.take()
		n := w.connect("bob")
		n.say(subscribeDoc)
		n.hears(subscribedDoc(0, `{}`))
	})
}

func TestDocumentSchema(t *testing.T) {
	r := desk(document.Options{Strict: true})
	schema, err := policy.CompileSchema([]byte(`{"properties":{"n":{"type":"integer"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Schema, r.Sanitize = schema, policy.SanitizeText
	atDesk(t, []policy.Room{r}, func(t *testing.T, w *world, _ *stubborn) {
		c := w.connect("ann")
		c.say(subscribeDoc, changeFrame(1, 0, `{"n":"x"}`), changeFrame(2, 0, `{"n":1}`))
		c.hears(subscribedDoc(0, `{}`), rejectedFrame(1, protocol.SchemaViolation, 0, `{}`), acceptedFrame(2, 1, ""))
		c.say(changeFrame(3, 0, `{"m":1}`), changeFrame(4, 1, `{"t":"<b>x</b>"}`))
		c.hears(rejectedFrame(3, protocol.Conflict, 1, `{"n":1}`), rejectedFrame(4, protocol.SchemaViolation, 1, `{"n":1}`))
	})
}

// The store fails in the middle of a subscription, of which the client then hears
// nothing but the error.
func TestDocumentUnavailable(t *testing.T) {
	atDesk(t, []policy.Room{desk(document.Options{})}, func(t *testing.T, w *world, store *stubborn) {
		c := w.connect("ann")
		store.fail = document.ErrUnavailable
		c.say(subscribeDoc)
		synctest.Wait()
		if got := c.wire.take(); len(got) != 1 || !strings.Contains(got[0], string(protocol.Unavailable)) {
			t.Errorf("%q", got)
		}
		if store.attached != 0 || len(c.Conn().Channels()) != 0 {
			t.Errorf("%d attached, subscribed to %q", store.attached, c.Conn().Channels())
		}
		store.fail = nil
		c.say(subscribeDoc)
		c.hears(subscribedDoc(0, `{}`))
	})
}

// What changes while a subscriber reads the document comes after it, and what it has
// read already can be told by its version.
func TestDocumentChangesDuringSubscribe(t *testing.T) {
	atDesk(t, []policy.Room{desk(document.Options{})}, func(t *testing.T, w *world, store *stubborn) {
		ann, bob := w.connect("ann"), w.connect("bob")
		ann.say(subscribeDoc)
		ann.hears(subscribedDoc(0, `{}`))
		commit := func(v int) {
			r, err := store.Store.Load(t.Context(), "doc", document.Known{})
			if err != nil {
				t.Error(err)
			}
			e := document.Entry{Version: uint64(v), Key: fmt.Sprint(v), Time: time.Now(), Patch: fmt.Appendf(nil, `{"n":%d}`, v)}
			if done, err := store.Commit(t.Context(), "doc", document.Commit{Epoch: r.Epoch, Entry: e, Keep: 9}); err != nil || done.Version != uint64(v) {
				t.Error(done, err)
			}
		}
		store.during = func() {
			store.during = nil
			commit(1)
		}
		bob.say(subscribeDoc)
		commit(2)
		bob.hears(subscribedDoc(1, `{"n":1}`), remoteFrame(1, "", `{"n":1}`), remoteFrame(2, "", `{"n":2}`))
		ann.hears(remoteFrame(1, "", `{"n":1}`), remoteFrame(2, "", `{"n":2}`))
	})
}
