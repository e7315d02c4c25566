package ws

import (
	"errors"
	"fmt"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// reason turns an error of converse into the reason for which the connection is closed.
func (e *engine) reason(err error) hub.Reason {
	if code, ok := errors.AsType[farewell](err); ok {
		e.goodbye = true
		return echo(uint16(code))
	}
	if r, ok := errors.AsType[verdict](err); ok {
		return hub.Reason(r)
	}
	switch {
	case errors.Is(err, errBinary):
		return protocol.ReasonBinary
	case errors.Is(err, errDeflate):
		return with(protocol.ReasonEncoding, "a compressed message can not be inflated")
	case errors.Is(err, errFlood):
		return with(protocol.ReasonPolicy, "too many control frames")
	case errors.Is(err, errFragments):
		return with(protocol.ReasonPolicy, "too many fragments")
	case errors.Is(err, websocket.ErrReadLimit):
		return tooLarge(e.limit)
	case e.late:
		return with(protocol.ReasonPolicy, "a message must be complete within "+messageTime.String())
	}
	return hub.ReasonLost
}

// echo repeats the code of a client's close frame, as RFC 6455 requires, so that the client's
// own close event shows it. The text is not repeated.
func echo(code uint16) hub.Reason {
	if code == 0 || code == hub.ReasonNormal.Code {
		return hub.ReasonNormal
	}
	return hub.Reason{Code: code, Text: hub.ByClient}
}

func tooLarge(limit int) hub.Reason {
	return with(protocol.ReasonTooLarge, fmt.Sprintf("a message may have %d bytes", limit))
}

func with(r hub.Reason, text string) hub.Reason {
	r.Text = text
	return r
}
