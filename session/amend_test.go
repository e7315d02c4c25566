package session

import (
	"maps"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// A change over HTTP needs the permission to change, and a room with a document. Nothing else makes up for it.
func TestAmendNeedsPermission(t *testing.T) {
	readers := desk(document.Options{})
	readers.ChangeAccess = policy.Users
	atDesk(t, []policy.Room{readers, open("plain")[0]}, func(t *testing.T, w *world, _ *stubborn) {
		ann, nobody := Caller{Principal: named("ann")}, Caller{Principal: new(Principal)}
		for _, c := range []struct {
			caller  Caller
			channel string
			want    protocol.Code
			version uint64
		}{
			{nobody, "doc", protocol.Unauthorized, 0},
			{ann, "plain", protocol.Forbidden, 0},
			{ann, "doc", "", 1},
			{nobody, "doc", protocol.Unauthorized, 0},
			{ann, "doc", "", 2},
		} {
			out, e := w.registry.Documents.Amend(t.Context(), c.caller, Proposal{Channel: c.channel, Latest: true, Patch: []byte(`{"a":1}`)})
			if codeOf(e) != c.want || out.Version != c.version {
				t.Errorf("%q in %s: version %d, %v", c.caller.User(), c.channel, out.Version, e)
			}
		}
	})
}

// The message size bounds a patch, and not a state that the app replaces.
func TestAmendIsBoundedBySize(t *testing.T) {
	patch := []byte(`{"text":"` + strings.Repeat("x", 50) + `"}`)
	inBubble(t, Limits{MessageSize: len(patch)}, []policy.Room{desk(document.Options{})}, func(t *testing.T, w *world) {
		withDocuments(t, w)
		amend := func(patch []byte, replace bool) protocol.Code {
			_, e := w.registry.Documents.Amend(t.Context(), Caller{App: true}, Proposal{Channel: "doc", Latest: true, Patch: patch, Replace: replace})
			return codeOf(e)
		}
		longer := append([]byte(" "), patch...)
		if got := amend(patch, false); got != "" {
			t.Errorf("a patch of the message size: %s", got)
		}
		if got := amend(longer, false); got != protocol.TooLarge {
			t.Errorf("a longer patch: %q", got)
		}
		if got := amend(longer, true); got != "" {
			t.Errorf("a longer state: %s", got)
		}
	})
}

// The outcome of a rejected change has the state, so the app is asked whether the caller may see it. An accepted
// change has no state, and the app is not asked again.
func TestStateOfARejectedChangeNeedsTheApp(t *testing.T) {
	b := &boss{no: map[string]error{"user eve": auth.ErrDenied}}
	inRealm(t, Realm{Authorize: b, Ask: auth.Subscribe}, []policy.Room{desk(document.Options{})}, func(t *testing.T, w *world) {
		withDocuments(t, w)
		propose := func(user string, local, base uint64) (document.Outcome, protocol.Code) {
			c := Caller{Principal: &Principal{Subject: policy.Subject{User: user}, Realm: site, Handshake: "h"}}
			out, e := w.registry.Documents.Propose(t.Context(), c, protocol.Change{Channel: "doc", Client: "c", LocalVersion: local, BaseVersion: base, Patch: []byte(`{"secret":1}`)})
			return out, codeOf(e)
		}
		for i, user := range []string{"ann", "eve"} {
			out, code := propose(user, 1, uint64(i))
			if code != "" || out.Version != uint64(i+1) || len(b.questions()) != 0 {
				t.Errorf("%s: %+v, %s", user, out, code)
			}
		}
		if out, code := propose("ann", 2, 9); code != "" || out.Err == nil || !strings.Contains(string(out.State), "secret") || len(b.questions()) != 1 {
			t.Errorf("ann is rejected with %+v, %s", out, code)
		}
		if out, code := propose("eve", 2, 9); code != protocol.Forbidden || out.State != nil || out.Version != 0 {
			t.Errorf("eve is rejected with %+v, %s", out, code)
		}
	})
}

// Each change that the room has decided about counts once, by its outcome.
func TestChangesAreCounted(t *testing.T) {
	atDesk(t, []policy.Room{desk(document.Options{})}, func(t *testing.T, w *world, store *stubborn) {
		amend := func(key, patch string, base uint64) {
			_, _ = w.registry.Documents.Amend(t.Context(), Caller{Principal: named("ann")}, Proposal{Channel: "doc", Key: key, Base: base, Patch: []byte(patch)})
		}
		amend("a", `{"n":1}`, 0)
		amend("b", `{"m":1}`, 1)
		amend("b", `{"m":1}`, 1)
		amend("c", `{"n":2}`, 0) // the same member as the first
		amend("d", `7`, 2)
		amend("e", `8`, 2)
		amend("g", `9`, 2)
		want := map[string]uint64{changeAccepted: 2, changeDuplicate: 1, changeConflict: 1, changeRejected: 3}
		if got := w.registry.Counts().Changes; !maps.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		if e := w.registry.Documents.Forget(t.Context(), "doc", document.Known{}); e != nil {
			t.Fatal(e)
		}
		store.fail = document.ErrUnavailable // it decides nothing
		amend("f", `{"n":3}`, 0)
		if got := w.registry.Counts().Changes; !maps.Equal(got, want) {
			t.Errorf("after a failure: %v, want %v", got, want)
		}
	})
}

// A document is forgotten at the version that the app has seen, or not at all.
func TestForgetOnlyAtAVersion(t *testing.T) {
	atDesk(t, []policy.Room{desk(document.Options{})}, func(t *testing.T, w *world, _ *stubborn) {
		d := &w.registry.Documents
		for range 2 {
			if out, e := d.Amend(t.Context(), Caller{App: true}, Proposal{Channel: "doc", Latest: true, Patch: []byte(`{"n":1}`)}); e != nil || out.Err != nil {
				t.Fatal(out, e)
			}
		}
		now, e := d.Read(t.Context(), Caller{App: true}, "doc")
		if e != nil || now.Version != 2 {
			t.Fatalf("%+v, %v", now, e)
		}
		for _, only := range []document.Known{{Epoch: now.Epoch, Version: 1}, {Epoch: "another", Version: 2}} {
			if e := d.Forget(t.Context(), "doc", only); codeOf(e) != protocol.Conflict {
				t.Errorf("%+v: %v", only, e)
			}
		}
		if e := d.Forget(t.Context(), "doc", document.Known{Epoch: now.Epoch, Version: 2}); e != nil {
			t.Error(e)
		}
		if after, e := d.Read(t.Context(), Caller{App: true}, "doc"); e != nil || after.Version != 0 {
			t.Errorf("%+v, %v", after, e)
		}
	})
}

// A client that is in a room when it gets its document may change the document.
func TestDocumentThatIsTurnedOnIsFollowed(t *testing.T) {
	atDesk(t, open("doc"), func(t *testing.T, w *world, _ *stubborn) {
		c := w.connect("ann")
		c.say(subscribeDoc)
		c.hears(`{"type":"subscribed","payload":{"channel":"doc"}}`)
		w.rules(desk(document.Options{}))
		c.hears(`{"type":"gap","payload":{"channel":"doc"}}`)
		c.say(changeFrame(1, 0, `{"n":1}`))
		c.hears(acceptedFrame(1, 1, ""))
	})
}
