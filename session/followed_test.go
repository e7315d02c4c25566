package session

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What a followed client does is logged, of that client only, until the time is over or the follow is ended.
func TestFollowedClients(t *testing.T) {
	inBubble(t, Limits{}, open("*"), func(t *testing.T, w *world) {
		ann, bob, nobody := w.connect("ann"), w.connect("bob"), w.connect("")
		all := map[string]*client{"ann": ann, "bob": bob, "nobody": nobody}
		n := 0
		logs := func(want ...string) {
			t.Helper()
			n++
			for name, c := range all {
				before := len(w.logs.String())
				c.say(subscribeTo(fmt.Sprint("c", n)))
				synctest.Wait()
				is := false
				for _, other := range want {
					is = is || other == name
				}
				if got := strings.Contains(w.logs.String()[before:], "followed: subscribed"); got != is {
					t.Errorf("%d: %s is logged: %v", n, name, got)
				}
			}
		}
		r := w.registry
		logs()
		if !r.Follow(Followed{User: "ann"}, time.Minute) || !r.Follow(Followed{Connection: nobody.Conn().ID()}, time.Second) {
			t.Error("not followed")
		}
		logs("ann", "nobody")
		time.Sleep(time.Second)
		logs("ann")
		if !r.Follow(Followed{User: "ann"}, 0) {
			t.Error("a follow does not end")
		}
		logs()
		if !r.Follow(Followed{User: "bob"}, 0) || r.rules.followed.Load() != nil {
			t.Error("something is looked up for each command, and nobody is followed")
		}
		r.Follow(Followed{User: "ann"}, 2*MaxFollow)
		time.Sleep(MaxFollow - time.Minute)
		logs("ann")
		time.Sleep(time.Minute)
		logs()
	})
}

// No more clients are followed than the bound says. One of them can be followed for longer, or no more.
func TestFollowsAreBounded(t *testing.T) {
	inBubble(t, Limits{}, nil, func(t *testing.T, w *world) {
		follow := func(i int, d time.Duration) bool {
			return w.registry.Follow(Followed{User: fmt.Sprint("u", i)}, d)
		}
		for i := range maxFollows {
			if !follow(i, time.Minute) {
				t.Errorf("%d can not be followed", i)
			}
		}
		if follow(maxFollows, time.Minute) {
			t.Error("one more is followed")
		}
		if !follow(maxFollows, 0) {
			t.Error("to end what is not followed is an error")
		}
		if !follow(0, time.Hour) || !follow(1, 0) || !follow(maxFollows, time.Minute) || follow(1, time.Minute) {
			t.Error("another one does not take the place of one")
		}
		time.Sleep(time.Minute)
		if !follow(1, time.Minute) {
			t.Error("a follow that is over takes a place")
		}
	})
}
