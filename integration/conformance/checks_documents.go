package conformance

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
)

// editor is a connection with a document.
type editor struct {
	*client
	channel, name string
	epoch         any
	version       float64
	number        int
}

// edit opens a connection to a document.
func edit(r *run, channel string) *editor {
	c := r.open()
	d, ok := c.subscribe(channel).Payload["document"].(map[string]any)
	if !ok {
		fail("subscribed has no document")
	}
	return &editor{client: c, channel: channel, name: unique(), epoch: d["epoch"], version: object(d).number("version")}
}

// propose makes the payload of a change to a version.
func (e *editor) propose(version float64, patch any) object {
	e.number++
	return object{"channel": e.channel, "client": e.name, "localVersion": e.number, "epoch": e.epoch, "baseVersion": version, "patch": patch}
}

// change proposes a change that is accepted.
func (e *editor) change(patch any) envelope {
	r := e.do("change", e.propose(e.version, patch), "change-accepted").want("channel", e.channel, "localVersion", e.number)
	e.version = r.Payload.number("serverVersion")
	return r
}

// rejectedChange proposes a change that is not.
func (e *editor) rejectedChange(version float64, patch any, code string) envelope {
	r := e.do("change", e.propose(version, patch), "change-rejected").want("localVersion", e.number, "code", code)
	if !r.has("serverState") || !r.has("serverVersion") || !r.has("epoch") {
		fail("%s lacks the current state", r)
	}
	return r
}

var documentChecks = []Check{
	{"a change is accepted, and others get it", "Documents", []need{needRoom(Document)}, func(r *run) {
		channel := r.channel(Document)
		a, b := edit(r, channel), edit(r, channel)
		patch := object{"title": "new", "draft": nil}
		accepted := a.change(patch).want("serverVersion", b.version+1)
		b.expect("remote-change").want("channel", channel, "serverVersion", accepted.Payload["serverVersion"], "patch", patch, "sender", a.id())
		a.silent("the author gets change-accepted alone")
	}},
	{"subscribed has the state", "Documents", []need{needRoom(Document)}, func(r *run) {
		channel := r.channel(Document)
		a := edit(r, channel)
		a.change(object{"a": object{"b": 1, "c": 2}})
		a.change(object{"a": object{"b": nil}})
		a.change([]object{{"op": "add", "path": "/list", "value": []int{1}}, {"op": "add", "path": "/list/-", "value": 2}})
		wantState(r.open().subscribe(channel), a.version, object{"a": object{"c": 2}, "list": []int{1, 2}})
	}},
	{"changes to different paths are merged", "Documents", []need{needRoom(Document)}, func(r *run) {
		channel := r.channel(Document)
		a, b := edit(r, channel), edit(r, channel)
		a.change(object{"a": 1})
		b.do("change", b.propose(b.version, object{"b": 2}), "change-accepted").want("serverVersion", a.version+1)
	}},
	{"changes to the same path collide", "Documents", []need{needRoom(Document)}, func(r *run) {
		channel := r.channel(Document)
		a, b := edit(r, channel), edit(r, channel)
		a.change(object{"a": object{"b": 1}})
		b.rejectedChange(b.version, object{"a": 2}, "CONFLICT").want("serverState", object{"a": object{"b": 1}}, "serverVersion", a.version)
	}},
	{"increments of one number do not collide", "Documents", []need{needRoom(Document)}, func(r *run) {
		channel := r.channel(Document)
		a, b := edit(r, channel), edit(r, channel)
		plus := []object{{"op": "increment", "path": "/votes", "value": 1}}
		a.change(plus)
		b.do("change", b.propose(b.version, plus), "change-accepted")
		wantState(r.open().subscribe(channel), a.version+1, object{"votes": 2})
	}},
	{"appending to a list does not collide, inserting does", "Documents", []need{needRoom(Document)}, func(r *run) {
		channel := r.channel(Document)
		a, b := edit(r, channel), edit(r, channel)
		a.change(object{"list": []int{0}})
		old := a.version
		a.change([]object{{"op": "add", "path": "/list/-", "value": 1}})
		b.do("change", b.propose(old, []object{{"op": "add", "path": "/list/-", "value": 2}}), "change-accepted")
		b.rejectedChange(old, []object{{"op": "add", "path": "/list/0", "value": 3}}, "CONFLICT").want("serverState", object{"list": []int{0, 1, 2}})
	}},
	{"a patch that replaces the whole document is rejected", "Documents", []need{needRoom(Document)}, func(r *run) {
		a := edit(r, r.channel(Document))
		a.rejectedChange(a.version, []object{{"op": "add", "path": "", "value": object{}}}, "INVALID_MESSAGE")
	}},
	{"a patch is made as a whole or not at all", "Documents", []need{needRoom(Document)}, func(r *run) {
		a := edit(r, r.channel(Document))
		a.change(object{"a": 1})
		patch := []object{{"op": "add", "path": "/b", "value": 1}, {"op": "test", "path": "/a", "value": 2}}
		a.rejectedChange(a.version, patch, "CONFLICT").want("serverState", object{"a": 1})
		patch = []object{{"op": "add", "path": "/b", "value": 1}, {"op": "remove", "path": "/none"}}
		a.rejectedChange(a.version, patch, "INVALID_MESSAGE").want("serverState", object{"a": 1})
	}},
	{"names that are dangerous in JavaScript are rejected", "Documents", []need{needRoom(Document)}, func(r *run) {
		a := edit(r, r.channel(Document))
		for _, name := range []string{"__proto__", "prototype", "constructor"} {
			a.rejectedChange(a.version, object{name: 1}, "INVALID_MESSAGE")
		}
	}},
	{"an epoch that is over is a conflict", "Documents", []need{needRoom(Document)}, func(r *run) {
		a := edit(r, r.channel(Document))
		a.epoch = "another"
		a.rejectedChange(a.version, object{"a": 1}, "CONFLICT")
	}},
	{"a change that is sent again is made once", "Documents", []need{needRoom(Document)}, func(r *run) {
		channel := r.channel(Document)
		a, b := edit(r, channel), edit(r, channel)
		again := a.propose(a.version, []object{{"op": "increment", "path": "/n", "value": 1}})
		first := a.do("change", again, "change-accepted")
		b.do("change", again, "change-accepted").want("duplicate", true, "serverVersion", first.Payload["serverVersion"])
		wantState(r.open().subscribe(channel), first.Payload.number("serverVersion"), object{"n": 1})
	}},
	{"a change without a subscription is an error", "Documents", []need{needRoom(Document)}, func(r *run) {
		channel := r.channel(Document)
		a := edit(r, channel)
		r.open().rejected("change", a.propose(a.version, object{"a": 1}), "NOT_SUBSCRIBED")
	}},
	{"every 32nd version has the hash of the state", "Documents", []need{needRoom(Document)}, func(r *run) {
		a := edit(r, r.channel(Document))
		for range 32 {
			e := a.change(object{"n": a.number})
			if h, ok := e.Payload["hash"]; ok {
				if want := hash(fmt.Sprintf(`{"n":%d}`, a.number-1)); h != want {
					fail("%s has the hash %v, not %s", e, h, want)
				}
				return
			}
		}
		fail("32 versions came without a hash")
	}},
}

// wantState checks the document in subscribed.
func wantState(e envelope, version float64, state object) {
	d, _ := e.Payload["document"].(map[string]any)
	if field, ok := object(d).differs("version", version, "state", state); !ok {
		fail("%s does not have %s", e, field)
	}
}

// hash returns the hash of a state, given as canonical JSON.
func hash(canonical string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(canonical)) // never fails
	return fmt.Sprintf("%08x", h.Sum32())
}

var identityChecks = []Check{
	{"a token that is not valid is an error, and the connection stays", "Commands", []need{needToken}, func(r *run) {
		c := r.open()
		c.rejected("authenticate", object{"token": "x.y.z"}, "UNAUTHORIZED")
		c.alive()
	}},
	{"authenticate returns the user", "Commands", []need{needToken}, func(r *run) {
		e := r.open().do("authenticate", object{"token": r.target.Token}, "authenticated")
		if u, _ := e.Payload["user"].(string); u == "" {
			fail("%s has no user", e)
		}
	}},
	{"the sender of a user's message is the user", "Events", []need{needToken, needRoom(Plain)}, func(r *run) {
		c, channel := r.open(), r.channel(Plain)
		user := c.do("authenticate", object{"token": r.target.Token}, "authenticated").Payload["user"]
		c.subscribe(channel)
		c.publish(channel, 1)
		c.expect("message").want("sender", user)
	}},
	{"a user with two connections is one member", "Presence", []need{needToken, needRoom(Presence)}, func(r *run) {
		channel := r.channel(Presence)
		watcher, a, b := entered(r, channel), r.open(), r.open()
		user, _ := a.do("authenticate", object{"token": r.target.Token}, "authenticated").Payload["user"].(string)
		b.do("authenticate", object{"token": r.target.Token}, "authenticated")
		a.subscribe(channel)
		watcher.until("presence", "the user's entry", func(e envelope) bool { return names(e, "entered", user) || names(e, "users", user) }).want("count", 2)
		b.subscribe(channel)
		snapshot(b).want("count", 2)
		a.do("unsubscribe", object{"channel": channel}, "unsubscribed")
		watcher.do("presence", object{"channel": channel}, "presence").want("count", 2)
	}},
	{"a message of the app has no sender", "Events", []need{needKey, needRoom(Plain)}, func(r *run) {
		c, channel := r.open(), r.channel(Plain)
		c.subscribe(channel)
		r.publish(channel, json.RawMessage(`{"content":{"text":"hi"},"event":"said"}`))
		c.expect("message").want("content", object{"text": "hi"}, "event", "said").without("sender")
	}},
}
