package askapp

import (
	"bytes"
	"errors"
	"mime"
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// Answer is what the app has answered.
type Answer struct {
	Status int
	Header http.Header
	// Body is the body, or its beginning if Long is set.
	Body []byte
	// Long: the body has more bytes than [Options.MaxAnswer].
	Long bool
	// Err is why a route failed, if the status comes from an error of a route.
	Err error
}

// JSON reports whether the answer has a body that says of itself that it is JSON.
func (a *Answer) JSON() bool {
	return a.MediaType() == "application/json" && (len(a.Body) > 0 || a.Long)
}

// MediaType returns the type of the body without parameters; empty if the answer names none.
func (a *Answer) MediaType() string {
	kind, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

// spare is how many bytes of an answer are read and dropped after the last one that fits, so
// that a proxy does not warn about a page that is a little too long. An answer with more is
// ended.
const spare = 1 << 20

var errLong = errors.New("realtime: the answer of the app is too long")

// recorder takes an answer.
type recorder struct {
	header  http.Header
	status  int
	body    bytes.Buffer
	most    int // that fit into body
	dropped int // bytes that did not fit
	long    bool
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.body.Len()+len(p) <= w.most && !w.long {
		return w.body.Write(p)
	}
	w.long = true
	if w.dropped += len(p); w.dropped > spare {
		return 0, errLong
	}
	return len(p), nil
}

// Flush is called by proxies.
func (w *recorder) Flush() {}

// answer returns what was recorded. err is what the routes have returned.
func (w *recorder) answer(err error) Answer {
	a := Answer{Status: w.outcome(err), Header: w.header, Body: w.body.Bytes(), Long: w.long}
	if !errors.Is(err, errLong) {
		a.Err = err
	}
	return a
}

// outcome is the status, whether it was written or returned as an error. Routes that write
// nothing have not answered: a proxy does so when the app switches to another protocol.
func (w *recorder) outcome(err error) int {
	var failed caddyhttp.HandlerError
	switch {
	case errors.Is(err, errLong):
		return w.status
	case errors.As(err, &failed) && failed.StatusCode != 0:
		return failed.StatusCode
	case err != nil, w.status == 0:
		return http.StatusInternalServerError
	}
	return w.status
}
