package session

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Whoever is subscribed to a document that is deleted is sent a gap, and finds the empty
// document when it subscribes again. What it builds on the old one is refused.
func TestDocumentForgotten(t *testing.T) {
	atDesk(t, []policy.Room{desk(document.Options{})}, func(t *testing.T, w *world, _ *stubborn) {
		ann, bob := w.connect("ann"), w.connect("bob")
		ann.say(subscribeDoc, changeFrame(1, 0, `{"a":1}`))
		ann.hears(subscribedDoc(0, `{}`), acceptedFrame(1, 1, ""))
		bob.say(subscribeDoc)
		bob.hears(subscribedDoc(1, `{"a":1}`))
		old, e := w.registry.Documents.Read(t.Context(), Caller{App: true}, "doc")
		if e != nil {
			t.Fatal(e)
		}
		if e := w.registry.Documents.Forget(t.Context(), "doc", document.Known{}); e != nil {
			t.Fatal(e)
		}
		const gap = `{"type":"gap","payload":{"channel":"doc"}}`
		ann.hears(gap)
		bob.hears(gap)
		ann.say(`{"type":"change","id":2,"payload":{"channel":"doc","localVersion":2,"baseVersion":1,"epoch":"` + old.Epoch + `","patch":{"b":1}}}`)
		ann.hears(rejectedFrame(2, protocol.Conflict, 0, `{}`))
		ann.say(`{"type":"unsubscribe","payload":{"channel":"doc"}}`, subscribeDoc, changeFrame(3, 0, `{"c":1}`))
		ann.hears(`{"type":"unsubscribed","payload":{"channel":"doc"}}`, subscribedDoc(0, `{}`), acceptedFrame(3, 1, ""))
		bob.hears(remoteFrame(1, "ann", `{"c":1}`))
	})
}

// Anonymous clients share by address, with the HTTP API as with a connection.
func TestDocumentPayers(t *testing.T) {
	limits := Limits{}.withDefaults()
	u := &rules{limits: limits}
	if limits.DocumentMemory != 256<<20 || limits.DocumentShare != 16<<20 {
		t.Errorf("%+v", limits)
	}
	ip := netip.MustParseAddr
	for _, tt := range []struct {
		a, b Caller
		same bool
	}{
		{Caller{Principal: named("ann")}, Caller{Principal: &Principal{Subject: policy.Subject{User: "ann"}, IP: ip("::1")}, Connection: "c"}, true},
		{Caller{Principal: named("ann")}, Caller{Principal: named("ben")}, false},
		{Caller{Principal: &Principal{IP: ip("192.0.2.1")}, Connection: "c"}, Caller{Principal: &Principal{IP: ip("192.0.2.1")}}, true},
		{Caller{Principal: &Principal{IP: ip("192.0.2.1")}, Connection: "c"}, Caller{Principal: &Principal{IP: ip("192.0.2.2")}, Connection: "c"}, false},
		{Caller{Principal: &Principal{IP: ip("2001:db8::1")}}, Caller{Principal: &Principal{IP: ip("2001:db8::2")}}, true},
		{Caller{Principal: named("192.0.2.1")}, Caller{Principal: &Principal{IP: ip("192.0.2.1")}}, false},
	} {
		if a, b := u.budget(tt.a), u.budget(tt.b); (a == b) != tt.same || a.Payer == "" {
			t.Errorf("%+v and %+v: %+v and %+v", tt.a, tt.b, a, b)
		}
	}
	if b := u.budget(Caller{Principal: named("ann"), App: true}); b.Payer != "" {
		t.Errorf("the app pays as %q", b.Payer)
	}
}

// A connection is told that its share is used up, and everybody else goes on.
func TestDocumentShare(t *testing.T) {
	limits := Limits{DocumentShare: 7000}
	inBubble(t, limits, []policy.Room{desk(document.Options{})}, func(t *testing.T, w *world) {
		withDocuments(t, w)
		ann, bob := w.connect("ann"), w.connect("bob")
		ann.say(subscribeDoc)
		ann.hears(subscribedDoc(0, `{}`))
		large := func(name string) string { return `{"` + name + `":"` + strings.Repeat("x", 2000) + `"}` }
		ann.say(changeFrame(1, 0, large("a")), changeFrame(2, 1, large("b")))
		ann.hears(acceptedFrame(1, 1, ""), acceptedFrame(2, 2, ""))
		ann.say(changeFrame(3, 2, large("c")))
		ann.hears(failure("3", protocol.LimitExceeded))
		bob.say(subscribeDoc, changeFrame(1, 2, `{"bob":1}`))
		state := strings.TrimSuffix(large("a"), "}") + "," + strings.TrimPrefix(large("b"), "{")
		bob.hears(subscribedDoc(2, state), acceptedFrame(1, 3, ""))
		ann.hears(remoteFrame(3, "bob", `{"bob":1}`))
		// What makes the document smaller is let through, and gives space back. What has
		// changed often, and is not large, does not fill the share.
		ann.say(changeFrame(4, 3, `{"a":null,"b":null}`), changeFrame(5, 4, large("c")), changeFrame(6, 5, large("c")), changeFrame(7, 6, large("c")))
		ann.hears(acceptedFrame(4, 4, ""), acceptedFrame(5, 5, ""), acceptedFrame(6, 6, ""), acceptedFrame(7, 7, ""))
	})
}

// A document that nobody uses for its time is forgotten, and one with a subscriber stays.
func TestDocumentTTL(t *testing.T) {
	atDesk(t, []policy.Room{desk(document.Options{TTL: time.Hour})}, func(t *testing.T, w *world, store *stubborn) {
		documents := func() int {
			page, _, e := w.registry.Documents.List(t.Context(), "", "", 10)
			if e != nil {
				t.Fatal(e)
			}
			return len(page)
		}
		ann := w.connect("ann")
		ann.say(subscribeDoc, changeFrame(1, 0, `{"a":1}`))
		ann.hears(subscribedDoc(0, `{}`), acceptedFrame(1, 1, ""))
		for range 5 {
			time.Sleep(59 * time.Minute)
			if n := documents(); n != 1 {
				t.Fatalf("%d documents with a subscriber", n)
			}
		}
		ann.Conn().Close(hub.ReasonNormal)
		synctest.Wait()
		time.Sleep(59 * time.Minute)
		if n := documents(); n != 1 {
			t.Errorf("%d documents before the time is over", n)
		}
		time.Sleep(2 * time.Minute)
		if n := documents(); n != 0 {
			t.Errorf("%d documents after the time", n)
		}
		bob := w.connect("bob")
		bob.say(subscribeDoc)
		bob.hears(subscribedDoc(0, `{}`))
	})
}
