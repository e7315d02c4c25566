package session

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func TestKick(t *testing.T) {
	inBubble(t, Limits{}, nil, func(t *testing.T, w *world) {
		first, second, bob, guest := w.connect("ann"), w.connect("ann"), w.connect("bob"), w.connect("")
		reason := hub.Reason{Code: 4499, Text: "out"}
		for user, want := range map[string]int{"ann": 2, "": 0, "nobody": 0} {
			if done, e := w.registry.Kicks.User(t.Context(), user, reason); done != (Ended{Connections: want, Nodes: 1}) || e != nil {
				t.Errorf("%q: %+v, %v, want %d", user, done, e, want)
			}
		}
		first.hears(`{"close":4499}`)
		second.hears(`{"close":4499}`)
		for id, want := range map[string]int{guest.Conn().ID(): 1, "nobody": 0, strings.Repeat("x", 100): 0} {
			if done, e := w.registry.Kicks.Connection(t.Context(), id, protocol.ReasonForbidden); done != (Ended{Connections: want, Nodes: 1}) || e != nil {
				t.Errorf("%q: %+v, %v, want %d", id, done, e, want)
			}
		}
		guest.hears(`{"close":4403}`)
		bob.hears()
		if done, _ := w.registry.Kicks.User(t.Context(), "ann", reason); done.Connections != 0 {
			t.Errorf("%d connections are left", done.Connections)
		}
	})
}

func TestKickReason(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]int{0: 4403, 4000: 4000, 4999: 4999, 1000: 1000, 1008: 1008, 1012: 1012} {
		if r, e := KickReason(code, "go"); e != nil || int(r.Code) != want || r.Text != "go" {
			t.Errorf("%d: %v, %v", code, r, e)
		}
	}
	if r, e := KickReason(0, ""); e != nil || r != protocol.ReasonForbidden {
		t.Errorf("%v, %v", r, e)
	}
	for _, code := range []int{-1, 1, 999, 1002, 1005, 1006, 1015, 3999, 5000, 65536 + 4403} {
		if _, e := KickReason(code, ""); codeOf(e) != protocol.InvalidMessage {
			t.Errorf("%d was accepted", code)
		}
	}
	if _, e := KickReason(0, strings.Repeat("x", MaxReason)); e != nil {
		t.Errorf("the longest reason: %v", e)
	}
	for _, text := range []string{strings.Repeat("x", MaxReason+1), "a\nb", "\xff"} {
		if _, e := KickReason(0, text); codeOf(e) != protocol.InvalidMessage {
			t.Errorf("%q was accepted", text)
		}
	}
}

// blocked is an application that answers when it is told to.
type blocked struct {
	asked  chan auth.Question
	answer chan error // nil: yes, as the user
	user   string
}

func newBlocked(user string) *blocked {
	return &blocked{asked: make(chan auth.Question), answer: make(chan error), user: user}
}

// hears waits for the next question.
func (b *blocked) hears(t *testing.T) (q auth.Question) {
	t.Helper()
	select {
	case q = <-b.asked:
	case <-time.After(time.Minute):
		t.Fatal("the app is not asked")
	}
	return q
}

func (b *blocked) Authorize(ctx context.Context, q auth.Question) (auth.Answer, error) {
	select {
	case b.asked <- q:
	case <-ctx.Done():
		return auth.Answer{}, ctx.Err()
	}
	select {
	case err := <-b.answer:
		return auth.Answer{User: b.user}, err
	case <-ctx.Done():
		return auth.Answer{}, ctx.Err()
	}
}

// sendingAway are the ways in which an application sends a user away.
var sendingAway = map[string]struct {
	do   func(*Registry) (Ended, *protocol.Error)
	ends string
}{
	"kicked": {func(r *Registry) (Ended, *protocol.Error) {
		return r.Kicks.User(context.Background(), "ann", protocol.ReasonForbidden)
	}, `{"close":4403}`},
	"kicked on another node": {func(r *Registry) (Ended, *protocol.Error) {
		n, err := r.Execute([]byte(`{"kick":{"user":"ann","code":4403}}`), 0)
		return Ended{Connections: n}, protocol.AsError(err)
	}, `{"close":4403}`},
	"revoked": {func(r *Registry) (Ended, *protocol.Error) {
		return r.Revocations.Revoke(context.Background(), auth.Revocation{User: "ann", Before: time.Now()})
	}, `{"close":4401}`},
}

// A user is banned, and sent away, while the app is being asked about the user's
// connection. It is asked again, and its answer from before does not count.
func TestSentAwayWhileAsking(t *testing.T) {
	for name, way := range sendingAway {
		for who, p := range map[string]*Principal{"by the question": {Subject: policy.Subject{User: "ann"}, Realm: site, Handshake: "h"}, "by the answer": {Realm: site, Handshake: "h"}} {
			t.Run(name+" "+who, func(t *testing.T) {
				inRealm(t, Realm{}, nil, func(t *testing.T, w *world) {
					b := newBlocked("ann") // inside the bubble
					w.withRealm(Realm{Authorize: auth.NewGuard(b, auth.GuardOptions{}), Ask: auth.Connect})
					said := make(chan *protocol.Error, 1)
					ask := func() {
						_, e := w.registry.Admission.Authorize(t.Context(), p)
						said <- e
					}
					go ask()
					b.hears(t)
					time.Sleep(time.Second)
					if done, e := way.do(w.registry); e != nil || done.Connections != 0 {
						t.Fatalf("%+v, %v", done, e)
					}
					time.Sleep(time.Second)
					b.answer <- nil
					b.hears(t)
					b.answer <- auth.ErrDenied
					if e := <-said; codeOf(e) != protocol.Forbidden {
						t.Errorf("let in by an answer from before: %v", e)
					}
				})
			})
		}
	}
}

// A user is sent away between the answer and the moment at which the connection is
// there. Who comes later gets in.
func TestSentAwayBeforeOpen(t *testing.T) {
	for name, way := range sendingAway {
		t.Run(name, func(t *testing.T) {
			b := &boss{answer: auth.Answer{User: "ann"}}
			inRealm(t, Realm{Authorize: auth.NewGuard(b, auth.GuardOptions{}), Ask: everything}, nil, func(t *testing.T, w *world) {
				enter := func() *Principal {
					p, e := w.registry.Admission.Authorize(t.Context(), &Principal{Realm: site, Handshake: "h", AsOf: time.Now()})
					if e != nil {
						t.Fatal(e)
					}
					return p
				}
				early, plain, other := enter(), &Principal{Subject: policy.Subject{User: "ann"}, AsOf: time.Now()}, &Principal{Subject: policy.Subject{User: "bob"}, AsOf: time.Now()}
				time.Sleep(time.Second)
				if _, e := way.do(w.registry); e != nil {
					t.Fatal(e)
				}
				time.Sleep(time.Second)
				for _, p := range []*Principal{early, plain} {
					if e := w.registry.Admission.Confirm(p); e == nil {
						t.Error("a request of hers goes on")
					}
					c, e := w.dial(p)
					if way.ends == `{"close":4401}` {
						if codeOf(e) != protocol.Unauthorized {
							t.Errorf("opened: %v", e)
						}
						continue
					}
					if e != nil {
						t.Fatal(e)
					}
					if settle(); len(c.reasons) != 1 || c.reasons[0].Code != protocol.ReasonForbidden.Code {
						t.Errorf("ended with %v", c.reasons)
					}
				}
				for _, p := range []*Principal{enter(), other, named("ann")} {
					if e := w.registry.Admission.Confirm(p); e != nil {
						t.Errorf("a request of %s: %v", p.User, e)
					}
					c, e := w.dial(p)
					if e != nil {
						t.Fatal(e)
					}
					if settle(); len(c.reasons) != 0 {
						t.Errorf("%s, who came later, ended with %v", p.User, c.reasons)
					}
				}
			})
		})
	}
}

// The same for a connection that is there and becomes the user's.
func TestSentAwayWhileAuthenticating(t *testing.T) {
	for name, way := range sendingAway {
		t.Run(name, func(t *testing.T) {
			inRealm(t, Realm{}, nil, func(t *testing.T, w *world) {
				b := newBlocked("") // inside the bubble
				w.withRealm(Realm{Authorize: auth.NewGuard(b, auth.GuardOptions{}), Ask: auth.Connect})
				c := w.arrive(&Principal{Handshake: "h"})
				go c.say(authenticateWith(token(t, claims("ann"))))
				b.hears(t)
				time.Sleep(2 * time.Second)
				if _, e := way.do(w.registry); e != nil {
					t.Fatal(e)
				}
				b.answer <- nil
				b.hears(t)
				b.answer <- auth.ErrDenied
				code := protocol.Forbidden
				c.hears(failure("9", code))
				if c.who().User != "" {
					t.Error("she is there")
				}
			})
		})
	}
}

// A message whose question is open when its user is sent away is asked about again.
func TestSentAwayWhilePublishing(t *testing.T) {
	for name, way := range sendingAway {
		t.Run(name, func(t *testing.T) {
			inRealm(t, Realm{}, open("a"), func(t *testing.T, w *world) {
				b := newBlocked("") // inside the bubble
				w.withRealm(Realm{Authorize: auth.NewGuard(b, auth.GuardOptions{}), Ask: auth.Publish | auth.Subscribe})
				c := Caller{Principal: &Principal{Subject: policy.Subject{User: "ann"}, Realm: site, Handshake: "h"}}
				for action, do := range map[auth.Action]func() *protocol.Error{
					auth.Publish: func() *protocol.Error {
						_, e := w.registry.Publishing.Publish(t.Context(), c, protocol.Publish{Channel: "a", Content: []byte("1")})
						return e
					},
					auth.Subscribe: func() *protocol.Error {
						_, e := w.registry.Publishing.History(t.Context(), c, protocol.History{Channel: "a"})
						return e
					},
				} {
					said := make(chan *protocol.Error, 1)
					go func() { said <- do() }()
					b.hears(t)
					if _, e := way.do(w.registry); e != nil {
						t.Fatal(e)
					}
					b.answer <- nil
					if q := b.hears(t); q.Action != action {
						t.Errorf("asked %v", q)
					}
					b.answer <- auth.ErrDenied
					if e := <-said; codeOf(e) != protocol.Forbidden {
						t.Errorf("%v: %v", action, e)
					}
				}
			})
		})
	}
}

// What is remembered of kicks has bounds, and a late order changes nothing.
func TestDismissalsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l recentKicks
		early := &Principal{Subject: policy.Subject{User: "u7"}, AsOf: time.Now()}
		time.Sleep(time.Second)
		for i := range 2 * maxKicks {
			l.add("u"+strconv.Itoa(i), recentKick{before: time.Now()})
			n := len(l.users)
			if n > maxKicks || i < maxKicks && n != i+1 || i == maxKicks && n != maxKicks*7/8+1 {
				t.Fatalf("%d of %d are remembered", n, i+1)
			}
		}
		l.add("u7", recentKick{before: time.Now()})
		l.add("u7", recentKick{before: early.AsOf.Add(-time.Hour)})
		if _, gone := l.since(early); !gone {
			t.Error("a late order takes a kick back")
		}
		time.Sleep(keepKicks)
		if l.sweep(time.Now()); len(l.users) == 0 {
			t.Error("kicks are forgotten too early")
		}
		time.Sleep(time.Second)
		l.sweep(time.Now())
		if len(l.users) != 0 {
			t.Errorf("%d are kept for ever", len(l.users))
		}
	})
}
