package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// Sink is a place to which events go. It does not change once it is in use.
type Sink struct {
	// Name identifies the sink over restarts and nodes.
	Name   string
	Choice *Choice
	// Form makes the body of a request; an empty one if there is nothing to send. Nil means the one of [Secret]'s conventions, see
	// [formBody].
	Form func(Batch) []byte
	// Sign makes the headers of an attempt to send a batch.
	Sign func(batch string, body []byte, now time.Time) http.Header
	// Post sends a request to the app and returns the status of its answer. It ends when its
	// context does.
	Post func(ctx context.Context, header http.Header, body []byte) (status int, err error)
	// Hold is how long the end of a membership or of a room's use is held back. It is dropped together
	// with a beginning that follows in this time. 0 means not at all.
	Hold time.Duration
	// Events is the greatest number of events in a batch; 0 means [DefaultBatch]. Wait is how
	// long a batch waits for more events; negative means not at all, 0 means [DefaultWait].
	Events int
	Wait   time.Duration
	// Retry is how long a batch is repeated; 0 means [DefaultRetry].
	Retry time.Duration
}

// The defaults of a [Sink].
const (
	DefaultBatch = 100
	DefaultWait  = 50 * time.Millisecond
	DefaultRetry = time.Hour
)

// maxBatchBytes bounds the body of a request, apart from one that has a single event.
const maxBatchBytes = 1 << 20

func (s Sink) withDefaults() Sink {
	if s.Events <= 0 {
		s.Events = DefaultBatch
	}
	if s.Wait == 0 {
		s.Wait = DefaultWait
	}
	if s.Retry <= 0 {
		s.Retry = DefaultRetry
	}
	if s.Form == nil {
		s.Form = formBody
	}
	return s
}

// SignWith returns a [Sink.Sign] by the conventions of Standard Webhooks. Each secret makes a
// signature, so that the app may have either of two.
func SignWith(secrets ...Secret) func(string, []byte, time.Time) http.Header {
	return func(batch string, body []byte, now time.Time) http.Header {
		return header(secrets, "msg_"+batch, body, now)
	}
}

// formBody makes the body of a request. It depends on the batch alone, so that a repetition has
// the same bytes.
func formBody(b Batch) []byte {
	var body struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		Data      struct {
			Events []Event `json:"events"`
		} `json:"data"`
	}
	body.Type, body.Timestamp, body.Data.Events = "realtime.events", b.Formed.UTC(), b.Events
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if e.Encode(body) != nil {
		return nil // not possible: raw JSON was checked when it came in
	}
	return text.Bytes()
}
