package engineio

import (
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/pace"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// servePost takes the packets of a POST. Its client may send the next one when this one is answered.
func (c *carrier) servePost(w http.ResponseWriter, r *http.Request, o *Options) error {
	if refused := c.beginPost(); refused != nil {
		if refused == errOverlap {
			c.fail(broken("two requests with packets at a time"))
		}
		return o.refuse(w, r, refused)
	}
	defer c.endPost()
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/octet-stream" {
		c.fail(broken("packets are text"))
		return o.refuse(w, r, errRequest)
	}
	w, end := o.bound(w, r)
	defer end()
	held, e := c.registry.Memory.Reserve(c.client)
	if e != nil {
		return reject(w, e)
	}
	defer held.Release()
	body, e := c.read(w, r, held)
	switch {
	case e != nil && e.Code == protocol.InvalidMessage: // the client has gone
		c.session.Conn().Close(hub.ReasonLost)
		return o.refuse(w, r, errRequest)
	case e != nil:
		return reject(w, e)
	case !c.receive(body):
		c.fail(broken("a poll with what is no packet"))
		return o.refuse(w, r, errRequest)
	}
	return writeAnswer(w, contentDone, []byte("ok"))
}

// beginPost starts a POST, if there is no other one.
func (c *carrier) beginPost() *refusal {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.gone, c.closed:
		return errSession
	case c.link != nil:
		return errRequest
	case c.posting:
		return errOverlap
	}
	c.posting = true
	return nil
}

func (c *carrier) endPost() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.posting = false
}

// read reads a body. INVALID_MESSAGE is the error for one that ends early.
func (c *carrier) read(w http.ResponseWriter, r *http.Request, held *session.Reservation) ([]byte, *protocol.Error) {
	limit := int64(c.registry.MessageSize())
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	sent := heard{pace.NewBody(w, http.MaxBytesReader(w, r.Body, limit)), c.session}
	body, err := io.ReadAll(held.Body(sent))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, tooLarge(limit)
	}
	if e, ok := errors.AsType[*protocol.Error](err); ok {
		return nil, e
	}
	if err != nil {
		return nil, protocol.Errorf(protocol.InvalidMessage, "the body has ended early")
	}
	return body, nil
}

func tooLarge(limit int64) *protocol.Error {
	return protocol.Errorf(protocol.TooLarge, "a request may have %d bytes", limit)
}

// heard is a body whose client is not silent while it is read.
type heard struct {
	io.Reader
	session *session.Session
}

func (h heard) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	if n > 0 {
		h.session.Conn().Heard()
	}
	return n, err
}

// receive hands the packets of a body to the session. It returns false at one that is none. Behind
// the end of the session the rest is dropped.
func (c *carrier) receive(body []byte) bool {
	for more := true; more && c.session.Context().Err() == nil; {
		var p packet
		var ok bool
		if p, body, more, ok = cutPacket(body); !ok {
			return false
		}
		switch {
		case p.binary || isExpected(p.data[0]):
			c.session.Receive(p.data, p.binary)
		case p.data[0] == packetClose:
			c.leave()
			return true
		default:
			return false
		}
	}
	return true
}
