package engineio

import (
	"math"
	"net/http"
	"strconv"

	"github.com/caddy-realtime/caddy-realtime/internal/pace"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// refusal is an answer of the protocol's own table of errors.
type refusal struct {
	code    int
	message string
}

var (
	errTransport = &refusal{0, "Transport unknown"}
	errSession   = &refusal{1, "Session ID unknown"}
	errMethod    = &refusal{2, "Bad handshake method"}
	errRequest   = &refusal{3, "Bad request"}
	errOverlap   = &refusal{3, "Bad request"} // a second poll; it ends the session
	errVersion   = &refusal{5, "Unsupported protocol version"}
)

// codeForbidden is the code of what the server's own rules do not allow.
const codeForbidden = 4

// refuse answers with an error of the table.
func (o *Options) refuse(w http.ResponseWriter, r *http.Request, f *refusal) error {
	w, end := o.bound(w, r)
	defer end()
	writeError(w, http.StatusBadRequest, f.code, f.message)
	return nil
}

// Reject answers a request that the server's own rules do not allow, in the form that clients of
// Engine.IO read.
func Reject(w http.ResponseWriter, e *protocol.Error) {
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	}
	writeError(w, e.Status(), codeForbidden, e.Message)
}

func reject(w http.ResponseWriter, e *protocol.Error) error {
	Reject(w, e)
	return nil
}

func writeError(w http.ResponseWriter, status, code int, message string) {
	body := append([]byte(`{"code":`), strconv.Itoa(code)...)
	body = append(protocol.AppendString(append(body, `,"message":`...), message), '}')
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	pace.Rejection(w, len(body))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client has gone if this fails
}
