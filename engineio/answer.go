package engineio

import (
	"net/http"

	"github.com/caddy-realtime/caddy-realtime/internal/pace"
)

// The types of answers. Clients read no other one for packets.
const (
	contentPackets = "text/plain; charset=UTF-8"
	contentDone    = "text/html"
)

// bound returns the writer for an answer, and what to call behind it.
func (o *Options) bound(w http.ResponseWriter, r *http.Request) (http.ResponseWriter, func()) {
	if o.Bound == nil {
		return w, func() {}
	}
	return o.Bound(w, r)
}

// answer answers a request with packets. An error means that they may not have arrived.
func (o *Options) answer(w http.ResponseWriter, r *http.Request, kind string, body []byte) error {
	w, end := o.bound(w, r)
	defer end()
	return writeAnswer(w, kind, body)
}

func writeAnswer(w http.ResponseWriter, kind string, body []byte) error {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	pace.Answer(w, len(body))
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(body)
	return err
}
