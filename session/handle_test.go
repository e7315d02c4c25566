package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// handlerApp is an app that takes a while and decides by the content.
type handlerApp struct {
	mu    sync.Mutex
	asked []string
	wait  time.Duration
}

func (a *handlerApp) Handles(channel string) bool { return strings.HasPrefix(channel, "app") }

func (a *handlerApp) HandleMessage(ctx context.Context, who Client, p protocol.Publish) (protocol.Publish, bool, error) {
	a.mu.Lock()
	a.asked = append(a.asked, fmt.Sprintf("%s %s %s %s", who.User, who.Handshake, p.Content, p.Key))
	n := len(a.asked)
	a.mu.Unlock()
	time.Sleep(a.wait)
	switch string(p.Content) {
	case `"take"`:
		return p, true, nil
	case `"reject"`:
		return p, false, &protocol.Error{Code: "OUT_OF_STOCK", Message: "none left", FromApp: true}
	case `"break"`:
		return p, false, errors.New("502")
	case `"garble"`:
		return p, false, fmt.Errorf("%w: no JSON", ErrAnswer)
	case `"long"`:
		p.Content = json.RawMessage(`"` + strings.Repeat("x", 1000) + `"`)
	case `"change"`:
		p.Content, p.Event, p.Tags = fmt.Appendf(nil, `{"n":%d}`, n), "saved", json.RawMessage(`{"a":1}`)
	}
	return p, false, nil
}

func (a *handlerApp) questions() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := strings.Join(a.asked, "; ")
	a.asked = nil
	return all
}

func throughApp(t *testing.T, app *handlerApp, f func(t *testing.T, w *world, c *client)) {
	rooms := []policy.Room{kept("app", 10), kept("plain", 10), {Pattern: "app:shut"}}
	rooms[0].Bounds.Size = 100
	inRealm(t, Realm{Messages: app}, rooms, func(t *testing.T, w *world) {
		c := w.arrive(&Principal{Subject: policy.Subject{User: "ann"}, Handshake: "h"})
		f(t, w, c)
	})
}

func say(id int, channel, content, more string) string {
	return fmt.Sprintf(`{"type":"message","id":%d,"payload":{"channel":%q,"content":%s%s}}`, id, channel, content, more)
}

// unavailable checks that the client hears UNAVAILABLE, with a random wait, and nothing else.
func (c *client) unavailable(t *testing.T) {
	t.Helper()
	settle()
	if got := fmt.Sprint(c.wire.take()); strings.Count(got, "UNAVAILABLE") != 1 || !strings.Contains(got, "retryAfter") || strings.Count(got, "type") != 1 {
		t.Errorf("heard %s", got)
	}
}

func TestMessagesThroughTheApp(t *testing.T) {
	app := new(handlerApp)
	throughApp(t, app, func(t *testing.T, w *world, c *client) {
		log := func() string { return w.logs.String() }
		for _, step := range []struct{ say, hears, asked string }{
			{say(1, "app", `"as it is"`, ""), `{"type":"ack","id":1,"payload":{"channel":"app","offset":1}}`, `ann h "as it is" `},
			{say(1, "app", `"change"`, ""), `{"type":"ack","id":1,"payload":{"channel":"app","offset":2}}`, `ann h "change" `},
			{say(1, "app", `"take"`, ""), `{"type":"ack","id":1,"payload":{"channel":"app"}}`, `ann h "take" `},
			{say(1, "app", `"reject"`, ""), failure("1", "OUT_OF_STOCK"), `ann h "reject" `},
			{say(1, "app", `"break"`, ""), "", `ann h "break" `},
			{say(1, "app", `"garble"`, ""), failure("1", protocol.Internal), `ann h "garble" `},
			{say(1, "app", `"long"`, ""), failure("1", protocol.Internal), `ann h "long" `},
			{say(1, "plain", `"take"`, ""), `{"type":"ack","id":1,"payload":{"channel":"plain","offset":1}}`, ""},
			{say(1, "app:shut", `1`, ""), failure("1", protocol.Forbidden), ""},
			{say(1, "app", `"`+strings.Repeat("x", 101)+`"`, ""), failure("1", protocol.TooLarge), ""},
		} {
			c.say(step.say)
			if step.hears == "" {
				c.unavailable(t)
			} else {
				c.hears(step.hears)
			}
			if got := app.questions(); got != step.asked {
				t.Errorf("%s: asked %s, want %s", step.say, got, step.asked)
			}
		}
		// One way to fail does not hide another one.
		for _, reason := range []string{"502", "no JSON"} {
			if !slices.ContainsFunc(strings.Split(log(), "\n"), func(line string) bool {
				return strings.Contains(line, `"level":"WARN"`) && strings.Contains(line, reason)
			}) {
				t.Errorf("no warning of %q: %s", reason, log())
			}
		}
		page, e := w.registry.Publishing.History(t.Context(), Caller{App: true}, protocol.History{Channel: "app", Limit: 10})
		if e != nil || len(page.Messages) != 2 || page.Messages[1].Event != "saved" || string(page.Messages[1].Tags) != `{"a":1}` || string(page.Messages[1].Content) != `{"n":1}` {
			t.Errorf("%+v, %v", page, e)
		}
		// The app itself is not asked.
		if _, e := w.registry.Publishing.Publish(t.Context(), Caller{App: true}, protocol.Publish{Channel: "app", Content: []byte("1")}); e != nil || app.questions() != "" {
			t.Errorf("as the app: %v", e)
		}
		// A request of a user over HTTP is.
		by := Caller{Principal: c.who()}
		if _, e := w.registry.Publishing.Publish(t.Context(), by, protocol.Publish{Channel: "app", Content: []byte(`"take"`)}); e != nil || app.questions() != `ann h "take" ` {
			t.Errorf("over HTTP: %v", e)
		}
	})
}

// An error that the app has chosen is none of the client's offences, whatever its code is.
func TestErrorsOfTheAppAreNoOffences(t *testing.T) {
	throughApp(t, new(handlerApp), func(t *testing.T, w *world, c *client) {
		for range 2 * maxViolations {
			c.say(say(1, "app", `"reject"`, ""))
			c.hears(failure("1", "OUT_OF_STOCK"))
		}
	})
}

// A repeat waits for the answer to the first message and gets it, and the app is asked once.
// What the app has not taken is asked about again.
func TestKeysOfMessagesThroughTheApp(t *testing.T) {
	app := &handlerApp{wait: time.Second}
	throughApp(t, app, func(t *testing.T, w *world, c *client) {
		other := w.arrive(&Principal{Subject: policy.Subject{User: "ann"}, Handshake: "h"})
		key := func(k string) string { return `,"key":"` + k + `"` }
		for i, content := range []string{"change", "take"} {
			c.say(say(1, "app", `"`+content+`"`, key(content)))
			other.say(say(2, "app", `"`+content+`"`, key(content)))
			ack := `"channel":"app"`
			if i == 0 {
				ack += `,"offset":1`
			}
			time.Sleep(2 * time.Second)
			c.hears(`{"type":"ack","id":1,"payload":{` + ack + `}}`)
			other.hears(`{"type":"ack","id":2,"payload":{` + ack + `,"duplicate":true}}`)
			c.say(say(3, "app", `"`+content+`"`, key(content)))
			c.hears(`{"type":"ack","id":3,"payload":{` + ack + `,"duplicate":true}}`)
			if got := app.questions(); got != `ann h "`+content+`" `+content {
				t.Errorf("asked %s", got)
			}
		}
		c.say(say(4, "app", `"other"`, key("take")))
		c.hears(failure("4", protocol.Conflict))
		for _, content := range []string{"break", "break"} {
			c.say(say(5, "app", `"`+content+`"`, key("again")))
			time.Sleep(2 * time.Second)
			c.unavailable(t)
			if got := app.questions(); got != `ann h "break" again` {
				t.Errorf("asked %s", got)
			}
		}
		time.Sleep(answersFor)
		c.say(say(6, "app", `"take"`, key("take")))
		time.Sleep(2 * time.Second)
		c.hears(`{"type":"ack","id":6,"payload":{"channel":"app"}}`)
	})
}

// The app may answer a repeat on another node in other words: the broker recognizes the message
// by what the client sent.
func TestRepeatOnAnotherNode(t *testing.T) {
	app := new(handlerApp)
	throughApp(t, app, func(t *testing.T, w *world, c *client) {
		c.say(say(1, "app", `"change"`, `,"key":"k"`))
		c.hears(`{"type":"ack","id":1,"payload":{"channel":"app","offset":1}}`)
		w.registry.Publishing.answers.drop(time.Now().Add(2 * answersFor)) // as on another node
		c.say(say(2, "app", `"change"`, `,"key":"k"`))
		c.hears(`{"type":"ack","id":2,"payload":{"channel":"app","offset":1,"duplicate":true}}`)
	})
}

// While the app takes its time, a client is not silent, and others are served.
func TestSlowAppDelaysItsClientAlone(t *testing.T) {
	app := &handlerApp{wait: 4 * time.Second}
	throughApp(t, app, func(t *testing.T, w *world, c *client) {
		var crowd []*client
		for range 100 {
			crowd = append(crowd, w.arrive(&Principal{Subject: policy.Subject{User: "bob"}, Handshake: "h"}))
		}
		for _, b := range crowd {
			b.say(say(1, "app", `1`, ""))
		}
		synctest.Wait()
		before := time.Now()
		c.say(say(1, "plain", `1`, ""))
		c.hears(`{"type":"ack","id":1,"payload":{"channel":"plain","offset":1}}`)
		if d := time.Since(before); d > time.Second {
			t.Errorf("another room took %v", d)
		}
	})
}

// A panic while the app is asked frees the key, so that a repeat does not wait for ever.
func TestPanicWhileTheAppIsAsked(t *testing.T) {
	t.Parallel()
	var all appAnswers
	key := answerKey{channel: "a", key: "k"}
	func() {
		defer func() { _ = recover() }()
		_, _ = all.once(t.Context(), key, 1, func() (hub.Published, *protocol.Error) { panic("app") })
	}()
	if _, e := all.once(t.Context(), key, 1, func() (hub.Published, *protocol.Error) { return hub.Published{}, nil }); e != nil || len(all.all) != 1 {
		t.Errorf("%v, %d answers", e, len(all.all))
	}
}

// The latest answers are kept, up to the bound.
func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	var all appAnswers
	now := time.Now()
	key := func(i int) answerKey { return answerKey{channel: "a", key: strconv.Itoa(i)} }
	add := func(i int) {
		a, _ := all.reserve(key(i), 1, now)
		a.err = nil
		all.settle(a, now)
	}
	add(0)
	add(1)
	last := all.kept.Back().Value
	for all.kept.Len() < mostAnswers { // as if there were many others
		all.kept.PushBack(last)
	}
	if _, first := all.reserve(key(0), 1, now); first {
		t.Error("an answer within the bound is forgotten")
	}
	add(2)
	if _, first := all.reserve(key(1), 1, now); first {
		t.Error("more than the oldest answer is forgotten")
	}
	if _, first := all.reserve(key(0), 1, now); !first {
		t.Error("the oldest answer over the bound is kept")
	}
}

// callee is an app that answers calls after a while.
type callee struct{ wait time.Duration }

func (a callee) HandleCall(ctx context.Context, who Client, q protocol.Call) (json.RawMessage, error) {
	switch q.Method {
	case "panic":
		panic("callee")
	case "reject":
		return nil, &protocol.Error{Code: protocol.InvalidJSON, Message: "no", FromApp: true}
	case "slow":
		time.Sleep(a.wait)
	}
	return fmt.Appendf(nil, `{"user":%q,"params":%s}`, who.User, q.Params), nil
}

func call(id int, method string) string {
	return fmt.Sprintf(`{"type":"call","id":%d,"payload":{"method":%q,"params":[1]}}`, id, method)
}

func TestCalls(t *testing.T) {
	inRealm(t, Realm{Calls: callee{time.Second}}, []policy.Room{kept("plain", 10)}, func(t *testing.T, w *world) {
		c := w.arrive(&Principal{Subject: policy.Subject{User: "ann"}, Handshake: "h"})
		const result = `"payload":{"result":{"user":"ann","params":[1]}}}`
		c.say(call(1, "slow"), call(2, "sum"))
		c.hears(`{"type":"result","id":2,` + result)
		time.Sleep(time.Second)
		c.hears(`{"type":"result","id":1,` + result)
		for range 2 * maxViolations {
			c.say(call(3, "reject"))
			c.hears(failure("3", protocol.InvalidJSON))
		}
		c.say(`{"type":"call","id":4,"payload":{}}`, `{"type":"call","id":5,"payload":{"method":"a b"}}`)
		c.hears(failure("4", protocol.InvalidMessage), failure("5", protocol.InvalidMessage))
		if _, e := w.registry.Call(t.Context(), Caller{App: true}, protocol.Call{Method: "sum"}); codeOf(e) != protocol.Forbidden {
			t.Errorf("as the app: %v", e)
		}
	})
}

func TestCallsWithoutAnApp(t *testing.T) {
	inRealm(t, Realm{}, nil, func(t *testing.T, w *world) {
		c := w.arrive(&Principal{Subject: policy.Subject{User: "ann"}, Handshake: "h"})
		c.say(call(1, "sum"))
		c.hears(failure("1", protocol.Forbidden))
	})
}

// With more calls than the app may answer beside each other the connection is not read.
func TestCallsOfOneConnectionAreBounded(t *testing.T) {
	inRealm(t, Realm{Calls: callee{time.Second}}, nil, func(t *testing.T, w *world) {
		c := w.arrive(&Principal{Subject: policy.Subject{User: "ann"}, Handshake: "h"})
		before := time.Now()
		for i := range maxCalls + 1 {
			if e := c.Call(protocol.Call{Method: "slow", Params: []byte("1")}, func(json.RawMessage, *protocol.Error) {}); e != nil {
				t.Fatal(e)
			}
			if d := time.Since(before); (d >= time.Second) != (i == maxCalls) {
				t.Errorf("call %d after %v", i, d)
			}
		}
		synctest.Wait()
		if n := c.calls.Load(); n != 0 {
			t.Errorf("%d calls are left", n)
		}
	})
}

// A call that panics costs its connection alone.
func TestPanicInACall(t *testing.T) {
	inRealm(t, Realm{Calls: callee{}}, nil, func(t *testing.T, w *world) {
		log := w.logged()
		c, other := w.arrive(&Principal{Handshake: "h"}), w.arrive(&Principal{Handshake: "h"})
		c.say(call(1, "panic"))
		c.hears(`{"close":1011}`)
		log.Once(t, "a call to the app", "callee")
		other.say(`{"type":"ping","id":1,"payload":{}}`)
		other.hears(`{"type":"pong","id":1,"payload":{}}`)
	})
}
