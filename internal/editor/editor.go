// Package editor is a client of a shared document as docs/protocol.md describes it, for
// tests, and one with a bad connection: it reads late, it loses what it has not read,
// and what it sends may be lost with the connection. It shares nothing with the server
// but the code that applies patches.
package editor

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/document"
)

// Line is a connection to a server.
type Line interface {
	// Say sends a frame.
	Say(frame string)
	// Take returns the frames that came since the last call.
	Take() []string
	// Lose ends the connection, and loses what is on the way in either direction.
	Lose()
}

// Editor is a client. Only one goroutine at a time calls its methods.
type Editor struct {
	// Set by New.
	t       testing.TB
	name    string
	channel string
	dial    func(user string) (Line, error)
	rnd     *rand.Rand
	seen    *Seen

	line   Line // nil: offline
	joined bool // `subscribed` has been read
	inbox  []string

	epoch   string
	version uint64
	state   document.Tree
	pending []change // the first one is in flight, if it was sent
	local   uint64

	made     map[uint64]uint64 // local versions that were accepted, and as which
	rejected map[uint64]bool
	losses   int // connections that ended
}

type change struct {
	local uint64
	base  uint64
	patch string
	sent  bool
}

// New returns an editor of a channel's document. The name is its user, and marks its
// changes in the values that it sets. dial connects it; after an error it tries again
// later. seed decides what it does.
func New(t testing.TB, name, channel string, seed uint64, seen *Seen, dial func(user string) (Line, error)) *Editor {
	return &Editor{
		t: t, name: name, channel: channel, dial: dial, rnd: rand.New(rand.NewPCG(seed, 2)), seen: seen,
		made: make(map[uint64]uint64), rejected: make(map[uint64]bool),
	}
}

func (e *Editor) online() {
	line, err := e.dial(e.name)
	if err != nil {
		return
	}
	e.line, e.joined = line, false
	line.Say(fmt.Sprintf(`{"type":"subscribe","id":"in","payload":{"channel":%q}}`, e.channel))
}

func (e *Editor) offline() {
	e.line.Lose()
	e.line, e.joined, e.inbox = nil, false, nil
	e.losses++
}

// Act does one thing at random.
func (e *Editor) Act() {
	switch n := e.rnd.IntN(100); {
	case e.line == nil:
		if n < 50 {
			e.online()
		}
	case n < 1:
		e.offline()
	case n < 3:
		e.send()
		if e.line != nil {
			e.offline() // the server may have it, the answer is lost
		}
	case n < 45:
		e.edit()
	case n < 60:
		e.send()
	default:
		e.read(1 + e.rnd.IntN(25))
	}
}

// edit makes a change of the state that the editor shows, and shows it at once.
func (e *Editor) edit() {
	if !e.joined || len(e.pending) > 8 {
		return
	}
	view := e.View()
	patch := e.anyPatch(view)
	if _, ok := applied(view, patch); !ok {
		return
	}
	e.local++
	e.pending = append(e.pending, change{local: e.local, patch: patch})
}

// View returns the state with the pending changes on top. Changes that do not fit any more
// are left out.
func (e *Editor) View() document.Tree {
	view := e.state
	for _, p := range e.pending {
		view, _ = applied(view, p.patch)
	}
	return view
}

// send sends the oldest pending change, unless it was sent over this connection already.
// The change names the state that it was made to: the one when it was first sent.
func (e *Editor) send() {
	if !e.joined || len(e.pending) == 0 || e.pending[0].sent {
		return
	}
	p := &e.pending[0]
	if p.base == 0 {
		p.base = e.version + 1 // 0: never sent
	}
	p.sent = true
	e.line.Say(fmt.Sprintf(`{"type":"change","id":%d,"payload":{"channel":%q,"client":%q,"localVersion":%d,"baseVersion":%d,"patch":%s}}`,
		p.local, e.channel, e.name, p.local, p.base-1, p.patch))
}

// read handles up to n frames that have arrived.
func (e *Editor) read(n int) {
	e.inbox = append(e.inbox, e.line.Take()...)
	for ; n > 0 && len(e.inbox) > 0; n-- {
		var f frame
		if err := json.Unmarshal([]byte(e.inbox[0]), &f); err != nil {
			e.t.Errorf("%s: %v", e.inbox[0], err)
		}
		e.inbox = e.inbox[1:]
		e.handle(&f)
	}
}

// Leave ends the connection, for good.
func (e *Editor) Leave() {
	if e.line != nil {
		e.offline()
	}
}

// Finish makes no new changes and reports whether all changes are answered. It is called
// until it returns true.
func (e *Editor) Finish() bool {
	if e.line == nil {
		e.online()
		return false
	}
	e.read(1 << 20)
	if e.line == nil || !e.joined || len(e.pending) > 0 {
		e.send()
		return false
	}
	return true
}
