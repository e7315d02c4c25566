package editor

import (
	"encoding/json"
	"fmt"

	"github.com/caddy-realtime/caddy-realtime/document"
)

// frame has the fields of an envelope that an editor needs.
type frame struct {
	Type    string
	ID      json.RawMessage
	Payload struct {
		LocalVersion, ServerVersion uint64
		Epoch                       string
		ServerState, Patch          json.RawMessage
		Document                    *struct {
			Epoch   string
			Version uint64
			State   json.RawMessage
		}
		Code, Hash string
	}
}

func (e *Editor) handle(f *frame) {
	p := &f.Payload
	switch f.Type {
	case "connected":
	case "subscribed":
		if e.epoch != "" && e.epoch != p.Document.Epoch {
			e.t.Errorf("%s: from version %d of %s to %d of %s", e.name, e.version, e.epoch, p.Document.Version, p.Document.Epoch)
		}
		e.epoch, e.joined = p.Document.Epoch, true
		e.adopt(p.Document.Version, p.Document.State)
		for i := range e.pending {
			e.pending[i].sent = false
		}
	case "remote-change":
		e.advance(p.ServerVersion, string(p.Patch))
		e.verify(p.ServerVersion, p.Hash)
	case "change-accepted":
		e.accepted(p.LocalVersion, p.ServerVersion)
		e.verify(p.ServerVersion, p.Hash)
	case "change-rejected":
		e.settle(p.LocalVersion)
		e.rejected[p.LocalVersion] = true
		if p.ServerVersion > e.version {
			e.adopt(p.ServerVersion, p.ServerState)
		}
	case "gap":
		e.offline()
	case "error":
		e.failed(f)
	default:
		e.t.Errorf("%s got %s", e.name, f.Type)
	}
}

// failed handles an error: the editor tries again later.
func (e *Editor) failed(f *frame) {
	switch {
	case f.Payload.Code != "UNAVAILABLE":
		e.t.Errorf("%s got the error %s", e.name, f.Payload.Code)
	case !e.joined:
		e.offline()
	case len(e.pending) > 0 && string(f.ID) == fmt.Sprint(e.pending[0].local):
		e.pending[0].sent = false
	}
}

func (e *Editor) adopt(version uint64, state []byte) {
	tree, err := document.Parse(state, document.Limits{})
	if err != nil {
		e.t.Error(err)
	}
	e.is(version, tree)
}

func (e *Editor) is(version uint64, state document.Tree) {
	e.version, e.state = version, state
	e.seen.note(e.t, e.name, version, state)
}

// advance makes the change of the next version. A hole must not happen.
func (e *Editor) advance(version uint64, patch string) {
	if version <= e.version {
		return
	}
	next, ok := applied(e.state, patch)
	if version != e.version+1 || !ok {
		e.t.Errorf("%s at version %d can not make %s of version %d", e.name, e.version, patch, version)
	}
	e.is(version, next)
}

// verify compares the hash that may come with a version.
func (e *Editor) verify(version uint64, hash string) {
	if own := fmt.Sprintf("%08x", e.state.Hash()); hash != "" && version == e.version && hash != own {
		e.t.Errorf("version %d of %s has the hash %s, not %s", version, e.name, own, hash)
	}
}

func (e *Editor) accepted(local, version uint64) {
	if was, again := e.made[local]; again && was != version {
		e.t.Errorf("%s: change %d was made as %d and as %d", e.name, local, was, version)
	}
	e.made[local] = version
	if p, ok := e.settle(local); ok {
		e.advance(version, p.patch)
	}
}

// settle removes a change from the pending ones, because it was answered.
func (e *Editor) settle(local uint64) (change, bool) {
	if len(e.pending) == 0 || e.pending[0].local != local {
		e.t.Errorf("%s got an answer to %d, pending %v", e.name, local, e.pending)
		return change{}, false
	}
	p := e.pending[0]
	e.pending = e.pending[1:]
	return p, true
}
