package socketio

import (
	"strconv"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// codes are the errors whose names in this protocol differ from the codes.
var codes = map[protocol.Code]string{
	protocol.InvalidChannel: "bad_room",
	protocol.NotSubscribed:  "not_in_room",
	protocol.UnknownType:    "unknown_event",
}

// codeOf returns the name of an error. The app chooses its own names.
func codeOf(e *protocol.Error) string {
	if e.FromApp {
		return string(e.Code)
	}
	if name, ok := codes[e.Code]; ok {
		return name
	}
	return strings.ToLower(string(e.Code))
}

// appendError appends an error as an object.
func appendError(dst []byte, e *protocol.Error) []byte {
	dst = protocol.AppendString(append(dst, `{"code":`...), codeOf(e))
	dst = protocol.AppendString(append(dst, `,"message":`...), e.Message)
	return append(appendRetry(dst, e), '}')
}

func appendRetry(dst []byte, e *protocol.Error) []byte {
	if e.RetryAfter > 0 {
		dst = strconv.AppendInt(append(dst, `,"retryAfter":`...), e.RetryAfter.Milliseconds(), 10)
	}
	return dst
}

// failed makes the acknowledgement of an event that is rejected; nothing for a client that wants none.
func failed(p *packet, e *protocol.Error) frame {
	if p.id == "" {
		return ""
	}
	dst := append(appendHead(nil, kindAck, 0, p.namespace, p.id), `[{"ok":false,"error":`...)
	return frame(append(appendError(dst, e), "}]"...))
}

// refusal makes the packet that rejects a connection to a namespace.
func refusal(namespace string, e *protocol.Error) frame {
	dst := protocol.AppendString(append(appendHead(nil, kindConnectError, 0, namespace, ""), `{"message":`...), e.Message)
	dst = protocol.AppendString(append(dst, `,"data":{"code":`...), codeOf(e))
	return frame(append(appendRetry(dst, e), "}}"...))
}

// acknowledge makes an acknowledgement with arguments, each of which is JSON; nothing for a client that
// wants none.
func acknowledge(p *packet, arguments ...[]byte) frame {
	if p.id == "" {
		return ""
	}
	return frame(append(appendHead(nil, kindAck, 0, p.namespace, p.id), arrayOf(arguments)...))
}

// noNamespace is the error about a namespace that the configuration does not have. Its text is that of
// the reference server.
var noNamespace = protocol.Errorf(protocol.Forbidden, "Invalid namespace")
