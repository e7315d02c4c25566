package protocol

import (
	"encoding/json"
	"strconv"
	"time"
)

// Version is the version of this protocol. The server sends it in `connected`.
const Version = 1

// The types of envelopes in both directions. Both sides use some of them: a client
// publishes with `message` and the server delivers with it, `history` and `presence`
// are the type of the command and of its reply.
const (
	TypeAck            = "ack"
	TypeAuthenticate   = "authenticate"
	TypeAuthenticated  = "authenticated"
	TypeCall           = "call"
	TypeChange         = "change"
	TypeChangeAccepted = "change-accepted"
	TypeChangeRejected = "change-rejected"
	TypeConnected      = "connected"
	TypeError          = "error"
	TypeGap            = "gap"
	TypeHistory        = "history"
	TypeMessage        = "message"
	TypePing           = "ping"
	TypePong           = "pong"
	TypePosition       = "position"
	TypePresence       = "presence"
	TypeReconnect      = "reconnect"
	TypeRemoteChange   = "remote-change"
	TypeResult         = "result"
	TypeSubscribe      = "subscribe"
	TypeSubscribed     = "subscribed"
	TypeUnsubscribe    = "unsubscribe"
	TypeUnsubscribed   = "unsubscribed"
)

// beginEnvelope appends an envelope up to its payload. The timestamp is the current time: every
// envelope but `message` is about something that happens now.
func beginEnvelope(dst []byte, name string, id json.RawMessage) []byte {
	dst = append(dst, `{"type":"`...)
	dst = append(dst, name...)
	dst = append(dst, '"')
	if len(id) > 0 {
		dst = append(dst, `,"id":`...)
		dst = append(dst, id...)
	}
	dst = append(dst, `,"timestamp":`...)
	dst = strconv.AppendInt(dst, time.Now().UnixMilli(), 10)
	return append(dst, `,"payload":`...)
}

// appendKey appends the name of a field, and a comma unless it is the first of its
// object. Names are the protocol's own and need no escapes.
func appendKey(dst []byte, key string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(dst, '"')
	dst = append(dst, key...)
	return append(dst, '"', ':')
}

func appendStringField(dst []byte, key, value string) []byte {
	return AppendString(appendKey(dst, key), value)
}

func appendIntField(dst []byte, key string, value int64) []byte {
	return strconv.AppendInt(appendKey(dst, key), value, 10)
}

func appendBoolField(dst []byte, key string, value bool) []byte {
	return strconv.AppendBool(appendKey(dst, key), value)
}

// milliseconds rounds up, so that a short wait does not become none.
func milliseconds(d time.Duration) int64 {
	ms := int64(d / time.Millisecond)
	if d%time.Millisecond > 0 {
		ms++
	}
	return ms
}
