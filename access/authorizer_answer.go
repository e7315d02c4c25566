package access

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/auth"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 10

// maxExpires is in the year 5138. What is more is a number of milliseconds, and would
// never come.
const maxExpires = 100_000_000_000

// recorder takes an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
	long   bool // there was more than fits
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.body.Len()+len(p) > maxAnswer {
		w.long = true
		return len(p), nil
	}
	return w.body.Write(p)
}

// Flush is called by proxies.
func (w *recorder) Flush() {}

// outcome is the status, whether it was written or returned as an error. Routes that write
// nothing have not answered: a proxy does so when the app switches to another protocol.
func (w *recorder) outcome(err error) int {
	var failed caddyhttp.HandlerError
	switch {
	case errors.As(err, &failed) && failed.StatusCode != 0:
		return failed.StatusCode
	case err != nil, w.status == 0:
		return http.StatusInternalServerError
	}
	return w.status
}

// answer reads what the app says beside yes.
func (w *recorder) answer() (auth.Answer, error) {
	kind, _, err := mime.ParseMediaType(w.header.Get("Content-Type"))
	if err != nil || kind != "application/json" || w.body.Len() == 0 && !w.long {
		return auth.Answer{}, nil // "ok", or a page, is a yes, too
	}
	if w.long {
		return auth.Answer{}, fmt.Errorf("realtime: the answer to 'authorize' has more than %d bytes", maxAnswer)
	}
	var said struct {
		User     string          `json:"user"`
		Info     json.RawMessage `json:"info"`
		Channels []auth.Grant    `json:"channels"`
		Expires  int64           `json:"expires"` // seconds since 1970, as exp in a token
	}
	err = auth.CheckJSON(w.body.Bytes())
	if err == nil {
		err = json.Unmarshal(w.body.Bytes(), &said)
	}
	if err != nil {
		return auth.Answer{}, fmt.Errorf("realtime: the answer to 'authorize' can not be read: %w", err)
	}
	answer := auth.Answer{User: said.User, Grants: said.Channels}
	switch {
	case len(said.Info) == 0, string(said.Info) == "null":
	case said.Info[0] == '{':
		answer.Info = said.Info
	default:
		return auth.Answer{}, errors.New("realtime: the answer to 'authorize' has an info that is not a JSON object")
	}
	if said.Expires > maxExpires {
		return auth.Answer{}, errors.New("realtime: the answer to 'authorize' has an 'expires' that is not in seconds since 1970")
	}
	if said.Expires != 0 {
		answer.Expires = time.Unix(said.Expires, 0)
	}
	return answer, nil
}
