package sse

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/httpwriter"
	"github.com/caddy-realtime/caddy-realtime/internal/poller"
	"github.com/caddy-realtime/caddy-realtime/internal/rawtcp"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// polled is a stream over a hijacked connection that waits in the poller. While nothing is sent
// it has neither a goroutine nor a buffer. It references nothing of the request.
//
// What the hub writes before the response has started is kept and leaves with the head.
type polled struct {
	poller.Stream

	// Static.
	hub         *hub.Hub
	userTimeout time.Duration
	bare        net.Conn // used until begin

	client *hub.Conn // written by run, static afterwards

	heard int // bytes that the client has sent; owned by Readable
}

var (
	_ hub.TryWriter   = (*polled)(nil)
	_ hub.WriteWaiter = (*polled)(nil)
)

// newPolled returns nil if the poller can not wait for the connection of a request.
func newPolled(r *http.Request, o Options) framing {
	conn := o.connOf(r)
	if conn == nil || !poller.Takes(conn) {
		return nil
	}
	return &polled{hub: o.Registry.Hub(), userTimeout: o.UserTimeout, bare: conn}
}

func (t *polled) begin(w http.ResponseWriter, first []byte) error {
	rawtcp.SetUserTimeout(t.bare, t.userTimeout)
	setHijackedHeader(w.Header())
	if err := writeHead(w, append(first, t.Kept()...)); err != nil {
		return err
	}
	conn, _, err := http.NewResponseController(httpwriter.Innermost(w)).Hijack()
	if err != nil {
		return err
	}
	c := poller.Take(t.bare)
	_ = conn.Close() // from here on only c is used
	t.bare = nil
	if c == nil {
		return errors.New("sse: the process has no descriptor left")
	}
	t.Open(c)
	return nil
}

func (t *polled) cancel() { t.Close() }

// run lets the stream wait for the client to disconnect.
func (t *polled) run(_ context.Context, c *hub.Conn) {
	t.client = c
	if t.Conn().Start(t) != nil {
		c.Close(hub.ReasonLost)
	}
}

// Readable implements [poller.Handler]: it closes the stream when its client has disconnected,
// or sends too much.
func (t *polled) Readable() {
	defer recoverReader(t.client, t.hub)
	var buf [64]byte
	for more := true; more; more = t.Conn().Left() {
		n, err := t.Conn().TryRead(buf[:])
		t.heard += n
		switch {
		case err != nil:
			t.client.Close(hub.ReasonLost)
			return
		case t.heard > maxChatter:
			t.client.Close(protocol.ReasonPolicy)
			return
		case n == 0:
			return
		}
	}
}

// Write writes p within the hub's write timeout. The hub does not call it, because the stream
// can wait without a goroutine.
func (t *polled) Write(p []byte) error {
	return t.Stream.Write(p, t.hub.Settings().WriteTimeout)
}

// Close closes the connection.
func (t *polled) Close() { _ = t.Stream.Close() }
