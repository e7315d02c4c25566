package simulate

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

// oracle judges what internal/checker does not know. Its lock is a leaf.
type oracle struct {
	disk bool

	mu sync.Mutex
	// Guarded by mu.
	faults  []string
	forgot  bool // a node without a file has crashed or restarted
	holds   map[*link]*hold
	past    []*hold
	ended   map[*link]bool
	places  map[string]map[checker.Position]string // of acknowledged messages, by channel
	answers map[string]answer                      // to changes
	crashes int
	lost    int // subscriptions that could not recover
	slow    int // connections that the server closed because they were slow
	repeats int // messages that came again with their key, and were noticed
}

// hold is a connection that holds its user in the hall.
type hold struct {
	user  string
	since time.Time // surely inside
	until time.Time // zero: still there
	left  bool      // the client said so
}

// answer is the answer to a change.
type answer struct {
	accepted bool
	epoch    string
	version  uint64
}

func newOracle(disk bool) *oracle {
	return &oracle{
		disk: disk, holds: make(map[*link]*hold), ended: make(map[*link]bool),
		places: make(map[string]map[checker.Position]string), answers: make(map[string]answer),
	}
}

// fault notes a broken promise.
func (o *oracle) fault(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.note(format, args...)
}

// note is fault with mu held.
func (o *oracle) note(format string, args ...any) {
	if len(o.faults) < 50 {
		o.faults = append(o.faults, fmt.Sprintf("%v: ", time.Since(start).Round(time.Millisecond))+fmt.Sprintf(format, args...))
	}
}

// start is when time starts in a bubble.
var start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// crashed notes that the node lost its connections, and what is not in a file.
func (o *oracle) crashed() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.forgot = o.forgot || !o.disk
	o.crashes++
	for l := range o.holds {
		o.end(l)
	}
}

// mayMiss reports whether a channel may lose something that it says.
func (o *oracle) mayMiss(channel string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.forgot || channel == short || channel == bare
}

// gapped notes that a client was told of a gap. In the rooms with a long history each gap needs a cause.
func (o *oracle) gapped(c *client, channel, how string) {
	o.mu.Lock()
	o.lost++
	o.mu.Unlock()
	if !o.mayMiss(channel) {
		o.fault("%s %s in %s, and nothing was lost", c.name, how, channel)
	}
}

// acked notes the place of a message.
func (o *oracle) acked(channel, name string, at checker.Position, repeat bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if repeat {
		o.repeats++
	}
	if at.Epoch == "" {
		return
	}
	if o.places[channel] == nil {
		o.places[channel] = make(map[checker.Position]string)
	}
	if other, taken := o.places[channel][at]; taken && other != name {
		o.note("%s and %s were acknowledged with the same position %v of %s", other, name, at, channel)
	}
	o.places[channel][at] = name
}

// answered notes the answer to a change.
func (o *oracle) answered(name string, accepted bool, epoch string, version uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answers[name] = answer{accepted, epoch, version}
}

// enters notes that a connection is inside a room.
func (o *oracle) enters(l *link, user, channel string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	// What arrives after the end is only late.
	if channel == hall && o.holds[l] == nil && !o.ended[l] {
		o.holds[l] = &hold{user: user, since: time.Now()}
	}
}

// leaves notes that a client is about to leave a room, even if it does not know yet that it is inside.
func (o *oracle) leaves(l *link, user, channel string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if channel == hall {
		delete(o.holds, l)
		o.past = append(o.past, &hold{user: user, until: time.Now(), left: true})
	}
}

// closed notes that the server has ended a connection, or has noticed its end.
func (o *oracle) closed(l *link, r hub.Reason) {
	o.cutNow(l)
	o.mu.Lock()
	defer o.mu.Unlock()
	if r == hub.ReasonSlow {
		o.slow++
	}
}

// cutNow notes that a connection has ended without the client's will.
func (o *oracle) cutNow(l *link) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended[l] = true
	o.end(l)
}

func (o *oracle) end(l *link) {
	if h := o.holds[l]; h != nil {
		delete(o.holds, l)
		h.until = time.Now()
		o.past = append(o.past, h)
	}
}

// early returns why a member must still be there at a time, or nothing.
func (o *oracle) early(user string, at time.Time) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	why := ""
	for _, h := range o.past {
		switch {
		case h.user != user:
		case h.left && h.until.After(at.Add(-grace-settled)):
			return ""
		case !h.left && !h.since.After(at.Add(-settled)) && h.until.After(at.Add(-grace)):
			why = fmt.Sprintf("its connection ended at %v", h.until.Sub(start))
		}
	}
	for _, h := range o.holds {
		if h.user == user && h.since.Before(at.Add(-settled)) {
			why = "it has a connection"
		}
	}
	return why
}

// settled is longer than what is announced may take to be announced.
const settled = time.Second

// members are those of the hall as a client knows them.
type members struct {
	known bool
	seq   uint64
	here  map[string]bool
}

// presence checks a frame about members.
func (o *oracle) presence(c *client, p *place, e *envelope) {
	q, m := &e.Payload, &p.members
	if q.Users != nil {
		m.known, m.seq, m.here = true, q.Seq, make(map[string]bool)
		for _, id := range *q.Users {
			m.here[id] = true
		}
	} else {
		if !m.known || q.Seq <= m.seq {
			return
		}
		if q.Seq != m.seq+1 {
			o.fault("%s missed frames of members: %d follows %d", c.name, q.Seq, m.seq)
		}
		m.seq = q.Seq
		o.diff(c, m, q, time.UnixMilli(e.Timestamp))
	}
	if q.Count != len(m.here) && !q.More {
		o.fault("%s knows %d members, and the frame says %d", c.name, len(m.here), q.Count)
	}
}

func (o *oracle) diff(c *client, m *members, q *payload, at time.Time) {
	for _, id := range q.Entered {
		if m.here[id] && id != c.user {
			o.fault("%s hears that %s enters, who is there", c.name, id)
		}
		m.here[id] = true
	}
	for _, id := range q.Left {
		if !m.here[id] {
			o.fault("%s hears that %s leaves, who is not there", c.name, id)
		}
		delete(m.here, id)
		if why := o.early(id, at); why != "" {
			o.fault("%s hears that %s has left, but %s", c.name, id, why)
		}
	}
}

// judge compares what the clients know when nothing moves any more.
func (o *oracle) judge(w *world) {
	o.judgeLogs(w)
	o.judgeMembers(w)
	o.judgeDocuments(w)
}

// judgeLogs looks for acknowledged messages in what the rooms keep.
func (o *oracle) judgeLogs(w *world) {
	for _, channel := range []string{kept, hall} {
		log := w.eye.logs[channel]
		for at, name := range o.places[channel] {
			switch {
			case at.Epoch == log.epoch && log.at[at.Offset] != name:
				o.fault("%s was acknowledged at %v of %s, where %q is", name, at, channel, log.at[at.Offset])
			case at.Epoch != log.epoch && o.disk:
				o.fault("%s was acknowledged at %v of %s, which now has the epoch %s", name, at, channel, log.epoch)
			}
		}
	}
}

// judgeMembers compares the members that clients know with the clients that are there.
func (o *oracle) judgeMembers(w *world) {
	want := make(map[string]bool)
	for _, c := range w.everybody() {
		if c.rooms[hall].wanted {
			want[c.user] = true
		}
	}
	for _, c := range w.everybody() {
		if p := c.rooms[hall]; p.wanted && !reflect.DeepEqual(p.members.here, want) {
			o.fault("%s knows the members %v, and there are %v", c.name, keys(p.members.here), keys(want))
		}
	}
}

// judgeDocuments compares the document that clients know with the changes.
func (o *oracle) judgeDocuments(w *world) {
	d := &w.eye.rooms[desk].doc
	for _, c := range w.everybody() {
		p := c.rooms[desk]
		if p.wanted && (p.doc.epoch != d.epoch || p.doc.version != d.version || !reflect.DeepEqual(p.doc.state, d.state)) {
			o.fault("%s has the document %v %d, another client has %v %d", c.name, p.doc.state, p.doc.version, d.state, d.version)
		}
	}
	total := 0.0
	for name, n := range d.state {
		if !strings.HasPrefix(name, "i") {
			continue
		}
		total += n.(float64)
		if n != 1.0 {
			o.fault("the change %s was made %v times", name, n)
		}
		if a, known := o.answers[name]; known && !a.accepted {
			o.fault("the change %s was made, and the answer says that it was rejected", name)
		}
	}
	if n, _ := d.state["n"].(float64); n != total {
		o.fault("the document counts %v changes and has %v", n, total)
	}
	for name, a := range o.answers {
		if a.accepted && (o.disk || a.epoch == d.epoch) && d.state[name] == nil {
			o.fault("the change %s was accepted as version %d and is not in the document", name, a.version)
		}
	}
}

func keys(m map[string]bool) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}
