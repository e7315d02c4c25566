package session

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// boss is an application that says no to some users and channels, and notes what it
// was asked.
type boss struct {
	mu     sync.Mutex
	asked  []auth.Question
	answer auth.Answer
	no     map[string]error // by user and by channel
}

func (b *boss) Authorize(_ context.Context, q auth.Question) (auth.Answer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked = append(b.asked, q)
	for _, who := range []string{"user " + q.User, "channel " + q.Channel} {
		if err := b.no[who]; err != nil {
			return auth.Answer{}, err
		}
	}
	return b.answer, nil
}

func (b *boss) questions() []auth.Question {
	b.mu.Lock()
	defer b.mu.Unlock()
	asked := b.asked
	b.asked = nil
	return asked
}

const everything = auth.Connect | auth.Subscribe | auth.Publish

func TestConnectionsAreAsked(t *testing.T) {
	b := &boss{no: map[string]error{"user bad": auth.ErrDenied, "user ": auth.ErrUnauthorized, "user odd": errors.New("no connection to the app")}}
	inRealm(t, Realm{Authorize: b, Ask: everything}, nil, func(t *testing.T, w *world) {
		for user, want := range map[string]protocol.Code{"ann": "", "bad": protocol.Forbidden, "": protocol.Unauthorized, "odd": protocol.Unavailable} {
			p, e := w.registry.Admission.Authorize(t.Context(), &Principal{Subject: policy.Subject{User: user}, Realm: site, Handshake: "cookie"})
			if codeOf(e) != want || e == nil && p.User != user {
				t.Errorf("%q: %v, %v", user, p, e)
			}
			if got := b.questions(); len(got) != 1 || got[0] != (auth.Question{Action: auth.Connect, User: user, Handshake: "cookie"}) {
				t.Errorf("asked %v", got)
			}
		}
		if !strings.Contains(w.logs.String(), "no connection to the app") || strings.Contains(w.logs.String(), "cookie") {
			t.Errorf("logged %s", w.logs)
		}
		if p, e := w.registry.Admission.Authorize(t.Context(), &Principal{Subject: policy.Subject{User: "bad"}, Realm: "another"}); e != nil || p.User != "bad" {
			t.Errorf("%v, %v", p, e)
		}
		if got := b.questions(); len(got) != 0 {
			t.Errorf("asked %v", got)
		}
	})
}

func TestAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		soon, late := now.Add(time.Minute), now.Add(time.Hour)
		guest := &Principal{Realm: site}
		holder := &Principal{Subject: policy.Subject{User: "ann"}, TokenID: "t1", Issued: now.Add(-time.Hour), Expires: late, Info: json.RawMessage(`{}`)}
		p, err := guest.answered(auth.Answer{User: "bob", Info: json.RawMessage(`{"n":1}`), Expires: soon, Grants: []auth.Grant{{Pattern: "g", Allow: []string{"publish"}}}})
		if err != nil || p.User != "bob" || string(p.Info) != `{"n":1}` || !p.Expires.Equal(soon) || !p.Issued.Equal(now) || p.Realm != site || !p.Grants.Cover(policy.Publish, "g") {
			t.Errorf("%+v, %v", p, err)
		}
		for answer, want := range map[*auth.Answer]time.Time{{}: late, {Expires: soon}: soon, {Expires: late.Add(1)}: late} {
			p, err = holder.answered(*answer)
			if err != nil || p.User != "ann" || p.TokenID != "t1" || !p.Expires.Equal(want) || !p.Issued.Equal(holder.Issued) || p.Info == nil {
				t.Errorf("%+v, %v", p, err)
			}
		}
		for _, a := range []auth.Answer{{User: "a\nb"}, {Grants: []auth.Grant{{Pattern: "**"}}}} {
			if p, err := guest.answered(a); err == nil {
				t.Errorf("%+v", p)
			}
		}
	})
}

func TestActionsAreAsked(t *testing.T) {
	b := &boss{no: map[string]error{"channel secret": auth.ErrDenied}}
	rooms := append(open("secret", "a"), policy.Room{Pattern: "shut"})
	rooms[0].Members, rooms[0].Rate = new(presence.Options), policy.Rate{PerSecond: 1, Burst: 1}
	inRealm(t, Realm{Authorize: b, Ask: everything}, rooms, func(t *testing.T, w *world) {
		c := w.arrive(&Principal{Subject: policy.Subject{User: "ann"}, Handshake: "h"})
		message := func(channel string) string {
			return `{"type":"message","id":1,"payload":{"channel":"` + channel + `","content":1}}`
		}
		q := func(a auth.Action, channel string) auth.Question {
			return auth.Question{Action: a, Channel: channel, User: "ann", Handshake: "h"}
		}
		for _, step := range []struct {
			say, hears string
			asked      []auth.Question
		}{
			{subscribeTo("a"), subscribed("a"), []auth.Question{q(auth.Subscribe, "a")}},
			{subscribeTo("a"), failure("1", protocol.AlreadySubscribed), nil},
			{subscribeTo("secret"), failure("1", protocol.Forbidden), []auth.Question{q(auth.Subscribe, "secret")}},
			{subscribeTo("shut"), failure("1", protocol.Forbidden), nil},
			{message("secret"), failure("1", protocol.Forbidden), []auth.Question{q(auth.Publish, "secret")}},
			{message("secret"), limited("1", 1000), nil},
			{message("shut"), failure("1", protocol.Forbidden), nil},
			{`{"type":"history","id":1,"payload":{"channel":"secret"}}`, failure("1", protocol.Forbidden), []auth.Question{q(auth.Subscribe, "secret")}},
		} {
			c.say(step.say)
			c.hears(step.hears)
			if got := b.questions(); len(got) != len(step.asked) || len(got) > 0 && got[0] != step.asked[0] {
				t.Errorf("%s: asked %v", step.say, got)
			}
		}
		caller := c.caller()
		if _, e := w.registry.Presence.Members(t.Context(), caller, "secret", presence.Query{}); codeOf(e) != protocol.Forbidden {
			t.Errorf("members: %v", e)
		}
		if _, e := w.registry.Publishing.History(t.Context(), caller, protocol.History{Channel: "secret"}); codeOf(e) != protocol.Forbidden {
			t.Errorf("history: %v", e)
		}
		b.questions()
		if _, e := w.registry.Publishing.Publish(t.Context(), Caller{Principal: &Principal{Realm: site}, App: true}, protocol.Publish{Channel: "secret", Content: []byte("1")}); e != nil || len(b.questions()) > 0 {
			t.Errorf("the app was asked about: %v", e)
		}
		w.withRealm(Realm{Authorize: b, Ask: auth.Publish})
		c.say(subscribeTo("secret"))
		c.hears(subscribed("secret"), `{"type":"presence","payload":{"channel":"secret","users":["ann"],"count":1}}`)
	})
}

// While the app is away nothing is allowed, the client is told to come
// back, and the log is not flooded.
func TestApplicationAway(t *testing.T) {
	b := &boss{no: map[string]error{"user ann": errors.New("connection refused")}}
	inRealm(t, Realm{Authorize: b, Ask: everything}, open("a"), func(t *testing.T, w *world) {
		c := w.arrive(named("ann"))
		for range 5 {
			c.say(subscribeTo("a"))
		}
		synctest.Wait()
		frames := c.wire.take()
		if len(frames) != 5 {
			t.Errorf("heard %q", frames)
		}
		for _, frame := range frames {
			if !strings.Contains(frame, `"code":"UNAVAILABLE"`) || !strings.Contains(frame, `"retryAfter"`) || strings.Contains(frame, "refused") {
				t.Errorf("heard %s", frame)
			}
		}
		if n := strings.Count(w.logs.String(), `"level":"WARN"`); n != 1 {
			t.Errorf("%d warnings", n)
		}
		time.Sleep(time.Minute)
		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, e := w.registry.Admission.Authorize(gone, &Principal{Subject: policy.Subject{User: "ann"}, Realm: site, Handshake: "h"}); codeOf(e) != protocol.Unavailable {
			t.Error(e)
		}
		if n := strings.Count(w.logs.String(), `"level":"WARN"`); n != 1 {
			t.Error("a client that went away is a failure of the app")
		}
	})
}

// A reload that has the app asked is not for those alone who come later.
func TestAskedAfterReload(t *testing.T) {
	inRealm(t, Realm{}, open("a"), func(t *testing.T, w *world) {
		old, e := w.dial(&Principal{Realm: site})
		if e != nil {
			t.Fatal(e)
		}
		kept := w.arrive(&Principal{})
		w.withRealm(Realm{Authorize: new(boss), Ask: auth.Subscribe})
		late, e := w.dial(&Principal{Realm: site}) // its handshake was before the reload
		if e != nil {
			t.Fatal(e)
		}
		settle()
		for _, c := range []*client{old, late} {
			if len(c.reasons) != 1 || c.reasons[0].Code != hub.ReasonReplaced.Code {
				t.Errorf("ended with %v", c.reasons)
			}
		}
		if len(kept.reasons) > 0 {
			t.Errorf("ended with %v, though it can be asked about", kept.reasons)
		}
	})
}

// A token that comes in a message leads past the app no more than one in the
// handshake.
func TestAuthenticationIsAsked(t *testing.T) {
	b := &boss{no: map[string]error{"user bad": auth.ErrDenied, "user odd": errors.New("away")}}
	inRealm(t, Realm{Authorize: b, Ask: everything}, []policy.Room{granted("g"), users("a")}, func(t *testing.T, w *world) {
		c := w.arrive(&Principal{Handshake: "h"})
		for user, code := range map[string]protocol.Code{"bad": protocol.Forbidden, "odd": protocol.Unavailable} {
			c.say(authenticateWith(token(t, claims(user))))
			synctest.Wait()
			if got := c.wire.take(); len(got) != 1 || !strings.Contains(got[0], string(code)) || c.who().User != "" {
				t.Errorf("%s: %q", user, got)
			}
		}
		soon := time.Now().Add(time.Minute)
		b.answer = auth.Answer{Grants: []auth.Grant{{Pattern: "g", Allow: []string{"subscribe"}}}, Expires: soon}
		b.questions()
		ann := claims("ann", map[string]any{"exp": soon.Add(-leeway).Unix()}) // ends with the answer
		c.say(authenticateWith(token(t, claims("ann"))), subscribeTo("g"))
		c.hears(authenticated(ann), subscribed("g"))
		if got := b.questions(); len(got) == 0 || got[0] != (auth.Question{Action: auth.Connect, User: "ann", Handshake: "h"}) {
			t.Errorf("asked %v", got)
		}
		if p := c.who(); !p.Expires.Equal(soon) {
			t.Errorf("expires at %v, the app said %v", p.Expires, soon)
		}
	})
}

// Who is sent away does not come back by an answer from before.
func TestSentAwayIsAskedAnew(t *testing.T) {
	for name, sendAway := range map[string]func(*Registry) (Ended, *protocol.Error){
		"kicked": func(r *Registry) (Ended, *protocol.Error) {
			return r.Kicks.User(context.Background(), "ann", protocol.ReasonForbidden)
		},
		"revoked": func(r *Registry) (Ended, *protocol.Error) {
			return r.Revocations.Revoke(context.Background(), auth.Revocation{User: "ann", Before: time.Now()})
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := &boss{answer: auth.Answer{User: "ann"}}
			inRealm(t, Realm{Authorize: auth.NewGuard(b, auth.GuardOptions{}), Ask: everything}, open("a"), func(t *testing.T, w *world) {
				enter := func() *protocol.Error {
					_, e := w.registry.Admission.Authorize(t.Context(), &Principal{Realm: site, Handshake: "cookie"})
					return e
				}
				if e := enter(); e != nil {
					t.Fatal(e)
				}
				b.no = map[string]error{"user ": auth.ErrDenied}
				if e := enter(); e != nil {
					t.Fatal(e, "although the answer is remembered")
				}
				time.Sleep(time.Millisecond)
				if _, e := sendAway(w.registry); e != nil {
					t.Fatal(e)
				}
				if e := enter(); codeOf(e) != protocol.Forbidden {
					t.Errorf("comes back: %v", e)
				}
			})
		})
	}
}

// A revocation covers those who were known by an answer that was older.
func TestAnswerIsAsOldAsItIs(t *testing.T) {
	t.Parallel()
	guest, asked := &Principal{Realm: site}, time.Now().Add(-3*time.Second)
	p, err := guest.answered(auth.Answer{User: "ann", Asked: asked})
	if err != nil || !p.Issued.Equal(asked) || !(auth.Revocation{User: "ann", Before: asked.Add(1)}).Covers(p.Identity()) {
		t.Errorf("%+v, %v", p, err)
	}
}

// patient is an app that answers about connections when hold is closed.
type patient struct{ hold chan struct{} }

func (p patient) Authorize(context.Context, auth.Question) (auth.Answer, error) {
	<-p.hold
	return auth.Answer{}, nil
}

// Of two tokens for different users that are on their way at once, one counts: a
// connection keeps its user.
func TestAuthenticateTwiceAtOnce(t *testing.T) {
	inRealm(t, Realm{}, nil, func(t *testing.T, w *world) {
		app := patient{make(chan struct{})}
		w.withRealm(Realm{Authorize: app, Ask: auth.Connect})
		c, won := w.arrive(&Principal{}), make(chan string, 2)
		for _, user := range []string{"ann", "ben"} {
			text := token(t, claims(user))
			go func() {
				e := c.Authenticate(t.Context(), text, func(*Principal) { won <- user })
				if e != nil && e.Code != protocol.Forbidden {
					t.Errorf("%s: %v", user, e)
				}
			}()
		}
		synctest.Wait() // both are recognized, and the app is asked
		close(app.hold)
		synctest.Wait()
		if len(won) != 1 {
			t.Fatalf("%d users got the connection", len(won))
		}
		if user := <-won; c.who().User != user {
			t.Errorf("%q was accepted, and the connection is of %q", user, c.who().User)
		}
	})
}
