package pusher

import (
	"strconv"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Codes of the protocol. Clients act by range: with 4000-4099 they do not reconnect, with 4100-4199
// after a second, with 4200-4299 at once. Greater ones are never close codes.
const (
	codeUnauthorized = 4009
	codeBusy         = 4100
	codeGeneric      = 4200
	codeSilent       = 4201
	codeRate         = 4301
	codeWatchlist    = 4302
)

// The reasons for which a handshake is refused. Clients learn them after the upgrade.
var (
	ReasonNoApp     = hub.Reason{Code: 4001, Text: "there is no app with this key"}
	ReasonVersion   = hub.Reason{Code: 4007, Text: "this version of the protocol is not spoken here"}
	ReasonNoVersion = hub.Reason{Code: 4008, Text: "no version of the protocol was given"}
)

// Refusal returns why a handshake with this parameter `protocol` is refused; nil if it is not.
func Refusal(version string) *hub.Reason {
	switch version {
	case "5", "6", "7":
		return nil
	case "":
		return &ReasonNoVersion
	}
	return &ReasonVersion
}

// CloseReason implements [ws.Closer].
func (encoder) CloseReason(r hub.Reason) hub.Reason {
	switch {
	case r.Code == hub.ReasonGone.Code, r.Code == hub.ReasonRestart.Code, r.Code == hub.ReasonReplaced.Code, r.Code == protocol.ReasonTokenExpired.Code:
		r.Code = codeGeneric
	case r.Code == hub.ReasonSilent.Code:
		r.Code = codeSilent
	case r.Code == hub.ReasonSlow.Code, r.Code == protocol.ReasonTryLater.Code, r.Code == protocol.ReasonInternal.Code, r.Code == protocol.ReasonPolicy.Code:
		r.Code = codeBusy
	case r.Code >= 4300:
		r.Code = codeUnauthorized
	}
	return r
}

// AppendClose implements [hub.Encoder]. A client that may come back is not bothered with an error.
func (c encoder) AppendClose(dst []byte, r hub.Reason) []byte {
	if r = c.CloseReason(r); r.Code < 4000 || r.Code >= codeGeneric {
		return dst
	}
	return appendFrame(dst, errorFrame(int(r.Code), r.Text))
}

func errorFrame(code int, text string) frame {
	data := append([]byte(`{"code":`+strconv.Itoa(code)+`,"message":`), protocol.AppendString(nil, text)...)
	return frame{event: "pusher:error", data: string(data) + "}", object: true}
}

// Reason says why a connection is closed.
type Reason = hub.Reason
