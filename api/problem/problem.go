// Package problem writes errors as HTTP answers in the form of RFC 9457. It is not part of
// package api, because the transports answer a rejected handshake in the same form and must
// not need the HTTP API for that.
//
// The functions keep no state. As always, only one goroutine at a time may use a
// ResponseWriter.
package problem

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/pace"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// ContentType is the media type of a problem.
const ContentType = "application/problem+json"

// Details is a problem document, the body of an answer with an error.
type Details struct {
	// Type is always about:blank: Code, or the status alone, says what happened.
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Detail explains the error to a person.
	Detail string `json:"detail,omitempty"`
	// Code is the error code of the protocol. It is empty for errors that only HTTP has.
	Code protocol.Code `json:"code,omitempty"`
	// RetryAfter is how long the client should wait, in milliseconds.
	RetryAfter int64 `json:"retryAfter,omitempty"`
}

// Of describes an error of the protocol.
func Of(e *protocol.Error) Details {
	return Details{
		Type:       "about:blank",
		Title:      http.StatusText(e.Status()),
		Status:     e.Status(),
		Detail:     e.Message,
		Code:       e.Code,
		RetryAfter: (e.RetryAfter + time.Millisecond - 1).Milliseconds(),
	}
}

// Write answers with an error of the protocol. A 401 says how to authenticate. An error
// with a wait gets the header Retry-After.
func Write(w http.ResponseWriter, e *protocol.Error) { WriteAs(w, e.Status(), e) }

// WriteAs is Write with another status than the usual one of the error.
func WriteAs(w http.ResponseWriter, status int, e *protocol.Error) {
	d := prepare(w, e)
	d.Status, d.Title = status, http.StatusText(status)
	write(w, status, d)
}

// WriteWith is Write with more members than those of [Details]. with returns the body: a
// JSON object that has these members and others.
func WriteWith(w http.ResponseWriter, e *protocol.Error, with func(Details) any) {
	write(w, e.Status(), with(prepare(w, e)))
}

// prepare sets the headers of an answer with an error of the protocol.
func prepare(w http.ResponseWriter, e *protocol.Error) Details {
	h := w.Header()
	if e.Status() == http.StatusUnauthorized && h.Get("Www-Authenticate") == "" {
		h.Set("Www-Authenticate", "Bearer")
	}
	SetRetryAfter(h, e)
	return Of(e)
}

// SetRetryAfter sets the header Retry-After if the error has a wait. The header counts
// whole seconds, so the wait is rounded up: a client that comes earlier is rejected again.
func SetRetryAfter(h http.Header, e *protocol.Error) {
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	}
}

// Unavailable returns an UNAVAILABLE error with a wait of one to five seconds. The wait is
// random, because clients that were rejected together must not come back together.
func Unavailable(text string) *protocol.Error {
	e := protocol.Errorf(protocol.Unavailable, "%s", text)
	e.RetryAfter = time.Second + rand.N(4*time.Second)
	return e
}

// WriteStatus answers with an error that the protocol has no code for.
func WriteStatus(w http.ResponseWriter, status int, detail string) {
	write(w, status, Details{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail})
}

func write(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		body = nil // never: nothing in it can fail
	}
	h := w.Header()
	h.Set("Content-Type", ContentType)
	Harden(h)
	pace.Rejection(w, len(body))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone if this fails
}

// Harden sets the headers of every answer for programs: it is not cached, and a browser
// that opens it neither guesses its type nor runs any of it.
func Harden(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'")
}
