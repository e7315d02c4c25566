package engineio

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// keepEnd is how long an end that the server wanted waits for the client's next poll.
const keepEnd = 30 * time.Second

// Sessions are the sessions of a node that began with polls. They outlive configurations: the
// next poll may come by another handler. The zero value has none.
type Sessions struct {
	mu   sync.Mutex
	live map[string]*carrier // by sid; guarded by mu
}

func (t *Sessions) add(c *carrier) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.live == nil {
		t.live = make(map[string]*carrier)
	}
	t.live[c.sid] = c
}

func (t *Sessions) remove(c *carrier) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.live, c.sid)
}

// removeAfter removes a session that has ended when its client had time to learn of the end.
func (t *Sessions) removeAfter(d time.Duration, c *carrier) {
	time.AfterFunc(d, func() {
		defer guard.Recover(nil, "the end of a polling session")
		t.remove(c)
	})
}

// find returns the session with a sid; nil if there is none, or if clients can not poll. A sid opens no session of another hub.
func (t *Sessions) find(sid string, of *session.Registry) *carrier {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.live[sid]; c != nil && c.registry == of {
		return c
	}
	return nil
}

// The sid is the only credential of a client who polls. It is not the id of the connection, which
// other clients see in rooms with presence.
const (
	sidBytes = 15 // random bytes
	tagBytes = 3  // of a hash of the node's name
)

// newSID returns 20 random characters and, with several nodes, four that say which node has the
// session: a node that has not may find out where to send the request.
func newSID(node string) string {
	var b [sidBytes + tagBytes]byte
	_, _ = rand.Read(b[:sidBytes]) // never fails
	if node == "" {
		return base64.RawURLEncoding.EncodeToString(b[:sidBytes])
	}
	tag := sha256.Sum256([]byte(node))
	copy(b[sidBytes:], tag[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}
