package ws

import (
	"errors"
	"fmt"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// reason turns an error of converse into the reason for which the connection ends.
func (e *engine) reason(err error) hub.Reason {
	// gorilla calls the end of the stream a close with 1006, a code nobody can send.
	if c, ok := errors.AsType[*websocket.CloseError](err); ok && c.Code != websocket.CloseAbnormalClosure {
		e.goodbye = true
		return echo(c.Code)
	}
	switch {
	case errors.Is(err, errBinary):
		return protocol.ReasonBinary
	case errors.Is(err, errFlood):
		return with(protocol.ReasonPolicy, "too many control frames")
	case errors.Is(err, errFragments):
		return with(protocol.ReasonPolicy, "too many fragments")
	case errors.Is(err, websocket.ErrReadLimit):
		return tooLarge(e.limit)
	case e.late:
		return with(protocol.ReasonPolicy, "a message must be complete within "+messageTime.String())
	case e.verdict.Code != 0:
		return with(protocol.ReasonProtocol, "broken frame: "+e.verdict.Text)
	}
	return hub.ReasonLost
}

// echo repeats the code of a client's close, as RFC 6455 wants it, so that the
// client's own close event shows what it said. Its text is not repeated.
func echo(code int) hub.Reason {
	switch code {
	case websocket.CloseNormalClosure, websocket.CloseNoStatusReceived:
		return hub.ReasonNormal
	}
	return hub.Reason{Code: uint16(code), Text: "closed by the client"}
}

func tooLarge(limit int) hub.Reason {
	return with(protocol.ReasonTooLarge, fmt.Sprintf("a message may have %d bytes", limit))
}

func with(r hub.Reason, text string) hub.Reason {
	r.Text = text
	return r
}
