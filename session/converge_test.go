package session

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// editor is a client as docs/protocol.md describes it, with a bad connection: it reads
// late, it loses what it has not read, and what it sends may be lost with the
// connection.
type editor struct {
	t      *testing.T
	w      *world
	name   string
	rnd    *rand.Rand
	conn   *client // nil: offline
	joined bool    // subscribed has been read
	inbox  []string

	epoch   string
	version uint64
	state   document.Tree
	pending []pendingChange // the first one is in flight, if it was sent
	local   uint64

	made     map[uint64]uint64 // local versions that were accepted, and as which
	rejected map[uint64]bool
}

type pendingChange struct {
	local uint64
	base  uint64
	patch string
	sent  bool
}

// frame is all that the editor needs of an envelope.
type frame struct {
	Type    string
	Payload struct {
		LocalVersion, ServerVersion uint64
		Epoch                       string
		ServerState, Patch          json.RawMessage
		Document                    *struct {
			Epoch   string
			Version uint64
			State   json.RawMessage
		}
		Code string
	}
}

func (e *editor) online() {
	c, err := e.w.dial(Peer{User: e.name})
	if err != nil {
		e.t.Error(err)
		return
	}
	e.conn, e.joined = c, false
	c.say(subscribeDoc)
}

// offline loses what is on the way in either direction.
func (e *editor) offline() {
	e.conn.Conn().Close(hub.ReasonLost)
	e.conn, e.joined, e.inbox = nil, false, nil
}

// act does one thing at random.
func (e *editor) act() {
	switch n := e.rnd.IntN(100); {
	case e.conn == nil:
		if n < 50 {
			e.online()
		}
	case n < 4:
		e.offline()
	case n < 8:
		e.send()
		if e.conn != nil {
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

// edit makes a change of what it shows, which is shown at once.
func (e *editor) edit() {
	if !e.joined {
		return
	}
	view := e.view()
	patch := e.anyPatch(view)
	if _, ok := applied(view, patch); !ok {
		return
	}
	e.local++
	e.pending = append(e.pending, pendingChange{local: e.local, patch: patch})
}

// view is the state with the pending changes on top. What does not fit any more is
// left out.
func (e *editor) view() document.Tree {
	view := e.state
	for _, p := range e.pending {
		view, _ = applied(view, p.patch)
	}
	return view
}

func applied(t document.Tree, patch string) (document.Tree, bool) {
	p, err := document.ParsePatch([]byte(patch), document.Limits{})
	if err != nil {
		return t, false
	}
	next, _, err := document.Apply(t, p, document.Limits{})
	return next, err == nil
}

func (e *editor) anyPatch(view document.Tree) string {
	var doc struct{ List []any }
	_ = json.Unmarshal(view.Text(), &doc)
	value, key, n := fmt.Sprintf(`"%s-%d"`, e.name, e.local+1), e.rnd.IntN(6), len(doc.List)
	switch kind := e.rnd.IntN(8); {
	case kind == 0 || n == 0:
		return fmt.Sprintf(`{"o":{"k%d":%s},"list":%s}`, key, value, map[bool]string{true: "[0]", false: string(mustText(doc.List))}[n == 0])
	case kind == 1:
		return fmt.Sprintf(`{"o":{"k%d":null,"k%d":%s}}`, key, (key+1)%6, value)
	case kind == 2:
		return fmt.Sprintf(`[{"op":"add","path":"/list/%d","value":%s}]`, e.rnd.IntN(n+1), value)
	case kind == 3:
		return fmt.Sprintf(`[{"op":"remove","path":"/list/%d"}]`, e.rnd.IntN(n))
	case kind == 4:
		return fmt.Sprintf(`[{"op":"replace","path":"/list/%d","value":%s}]`, e.rnd.IntN(n), value)
	case kind < 7:
		return fmt.Sprintf(`[{"op":"add","path":"/list/-","value":%s}]`, value)
	}
	return fmt.Sprintf(`{"p":{"x%d":{"y":%s}}}`, key, value)
}

func mustText(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

// send sends the oldest pending change, again if it was sent over another connection.
// It says what it was made to: the state at the time when it was first sent.
func (e *editor) send() {
	if !e.joined || len(e.pending) == 0 || e.pending[0].sent {
		return
	}
	p := &e.pending[0]
	if p.base == 0 {
		p.base = e.version + 1 // 0 means that it was never sent
	}
	p.sent = true
	e.conn.say(changeAs(e.name, p.local, p.base-1, p.patch))
}

func changeAs(name string, local, base uint64, patch string) string {
	return fmt.Sprintf(`{"type":"change","payload":{"channel":"doc","client":%q,"localVersion":%d,"baseVersion":%d,"patch":%s}}`, name, local, base, patch)
}

// read handles up to n frames that have arrived.
func (e *editor) read(n int) {
	e.inbox = append(e.inbox, e.conn.wire.take()...)
	for ; n > 0 && len(e.inbox) > 0; n-- {
		var f frame
		if err := json.Unmarshal([]byte(e.inbox[0]), &f); err != nil {
			e.t.Errorf("%s: %v", e.inbox[0], err)
		}
		e.inbox = e.inbox[1:]
		e.handle(&f)
	}
}

func (e *editor) handle(f *frame) {
	p := &f.Payload
	switch f.Type {
	case "connected":
	case "subscribed":
		if e.epoch != "" && e.epoch != p.Document.Epoch || p.Document.Version < e.version {
			e.t.Errorf("%s: from version %d of %s to %d of %s", e.name, e.version, e.epoch, p.Document.Version, p.Document.Epoch)
		}
		e.epoch, e.joined = p.Document.Epoch, true
		e.adopt(p.Document.Version, p.Document.State)
		for i := range e.pending {
			e.pending[i].sent = false
		}
	case "remote-change":
		e.advance(p.ServerVersion, string(p.Patch))
	case "change-accepted":
		e.accepted(p.LocalVersion, p.ServerVersion)
	case "change-rejected":
		e.settle(p.LocalVersion)
		e.rejected[p.LocalVersion] = true
		if p.ServerVersion > e.version {
			e.adopt(p.ServerVersion, p.ServerState)
		}
	default:
		e.t.Errorf("%s got %s %s", e.name, f.Type, p.Code)
	}
}

func (e *editor) adopt(version uint64, state []byte) {
	tree, err := document.Parse(state, document.Limits{})
	if err != nil {
		e.t.Error(err)
	}
	e.version, e.state = version, tree
}

// advance makes a change that is the next one. A hole must not happen here.
func (e *editor) advance(version uint64, patch string) {
	if version <= e.version {
		return
	}
	next, ok := applied(e.state, patch)
	if version != e.version+1 || !ok {
		e.t.Errorf("%s at version %d can not make %s of version %d", e.name, e.version, patch, version)
	}
	e.version, e.state = version, next
}

func (e *editor) accepted(local, version uint64) {
	if was, again := e.made[local]; again && was != version {
		e.t.Errorf("%s: change %d was made as %d and as %d", e.name, local, was, version)
	}
	e.made[local] = version
	if p, ok := e.settle(local); ok {
		e.advance(version, p.patch)
	}
}

// settle takes a change that was answered from the pending ones.
func (e *editor) settle(local uint64) (pendingChange, bool) {
	if len(e.pending) == 0 || e.pending[0].local != local {
		e.t.Errorf("%s got an answer to %d, pending %v", e.name, local, e.pending)
		return pendingChange{}, false
	}
	p := e.pending[0]
	e.pending = e.pending[1:]
	return p, true
}

// finish gets everything answered over a good connection.
func (e *editor) finish() {
	if e.conn == nil {
		e.online()
	}
	for range 1000 {
		synctest.Wait()
		e.read(1 << 20)
		if e.joined && len(e.pending) == 0 {
			return
		}
		e.send()
	}
	e.t.Errorf("%s waits for answers to %v", e.name, e.pending)
}

func converge(t *testing.T, seed uint64, o document.Options) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Limits{}, desk(o))
		withDocuments(t, w)
		rnd := rand.New(rand.NewPCG(seed, 1))
		var editors []*editor
		for i := range 2 + rnd.IntN(19) {
			editors = append(editors, &editor{
				t: t, w: w, name: fmt.Sprint("u", i), rnd: rand.New(rand.NewPCG(seed, uint64(i)+2)),
				made: make(map[uint64]uint64), rejected: make(map[uint64]bool),
			})
		}
		for range 150 {
			var wg sync.WaitGroup
			for _, e := range editors {
				wg.Go(e.act)
			}
			wg.Wait()
			if rnd.IntN(3) == 0 {
				time.Sleep(time.Millisecond) // lets everything arrive
			}
		}
		for _, e := range editors {
			e.finish()
		}
		synctest.Wait()
		compareEditors(t, w, editors)
	})
}

// compareEditors has all editors read to the end: they show what the server has, and
// every version is the change of one of them, made once.
func compareEditors(t *testing.T, w *world, editors []*editor) {
	t.Helper()
	snap, e := w.registry.Document(t.Context(), Caller{App: true}, "doc")
	if e != nil {
		t.Fatal(e)
	}
	versions := make(map[uint64]string)
	made, refused := 0, 0
	for _, e := range editors {
		e.read(1 << 20)
		if e.version != snap.Version || string(e.view().Text()) != string(snap.State) {
			t.Errorf("%s has version %d, %s\nthe server %d, %s", e.name, e.version, e.view().Text(), snap.Version, snap.State)
		}
		for local, version := range e.made {
			if other, twice := versions[version]; twice || e.rejected[local] {
				t.Errorf("version %d is change %d of %s and %s", version, local, e.name, other)
			}
			versions[version] = e.name
		}
		made, refused = made+len(e.made), refused+len(e.rejected)
		if uint64(len(e.made)+len(e.rejected)) != e.local {
			t.Errorf("%s has %d changes, %d made and %d refused", e.name, e.local, len(e.made), len(e.rejected))
		}
	}
	if uint64(made) != snap.Version {
		t.Errorf("%d changes were made, the document is at version %d", made, snap.Version)
	}
	t.Logf("%d editors, %d changes made, %d refused", len(editors), made, refused)
}

func TestConverge(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		for name, o := range map[string]document.Options{"merge": {}, "strict": {Strict: true}, "short history": {History: 3}} {
			t.Run(fmt.Sprint(name, "/", seed), func(t *testing.T) {
				t.Parallel()
				converge(t, seed, o)
			})
		}
	}
}
