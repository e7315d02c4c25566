package protocol

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Error is an error that a client gets. All of it but Detail is public.
type Error struct {
	Code Code
	// Message explains the error to a person. Input of the client in it went through
	// [Quote].
	Message string
	// RetryAfter is how long the client should wait before it tries again; 0 means that the
	// time is unknown.
	RetryAfter time.Duration
	// HTTPStatus is the status of an answer over HTTP, if it says more than the status of the
	// code; 0 means the status of the code.
	HTTPStatus int
	// FromApp says that the app has chosen code and message. Such an error says nothing about
	// how the client speaks the protocol.
	FromApp bool
	// Detail is for the log, and never sent: what exactly decided. It may be empty.
	Detail string
}

// Errorf makes an [Error]. Input of a client may be in the arguments only if it went through
// [Quote], or is short and formatted with %q.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// NoRoom is the error that the app gets about a channel that no room of the configuration opens.
func NoRoom(channel string) *Error {
	e := Errorf(InvalidChannel, "no room of the configuration opens the channel %s", Quote(channel))
	e.HTTPStatus = http.StatusNotFound
	return e
}

// Error returns code and message.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// AsGo returns e as an error of Go: nil stays nil.
func (e *Error) AsGo() error {
	if e == nil {
		return nil
	}
	return e
}

// Status is the HTTP status of an answer with this error.
func (e *Error) Status() int {
	if e.HTTPStatus != 0 {
		return e.HTTPStatus
	}
	return e.Code.Info().Status
}

// Title is the code's own short description, independent of the message.
func (e *Error) Title() string { return e.Code.Info().Title }

// retryUnavailable is how long a client should wait if the time is unknown. Code that answers
// many clients at once adds a random time.
const retryUnavailable = time.Second

// AsError turns any error into one for clients. An [*Error] anywhere in the chain is returned as
// it is. A temporary error of the hub becomes [Unavailable]. Any other error becomes [Internal],
// without its text. Nil stays nil.
func AsError(err error) *Error {
	var e *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	case errors.Is(err, hub.ErrSubscribed):
		return &Error{Code: AlreadySubscribed, Message: AlreadySubscribed.Info().Title}
	case errors.Is(err, hub.ErrKeyReused):
		e = Errorf(Conflict, "the idempotency key belongs to another message; give this one its own")
		e.HTTPStatus = http.StatusUnprocessableEntity
		return e
	case errors.Is(err, hub.ErrUnavailable):
		return unavailable("the message store cannot be reached, try again")
	case errors.Is(err, hub.ErrCrowded):
		return unavailable("the channel has too much to deliver, try again")
	case errors.Is(err, hub.ErrClosed), errors.Is(err, hub.ErrLeft):
		return unavailable("the server is shutting down, connect again")
	case errors.Is(err, context.DeadlineExceeded):
		return unavailable("this took too long, try again")
	case errors.Is(err, context.Canceled):
		return unavailable("this was cancelled")
	}
	return &Error{Code: Internal, Message: Internal.Info().Title}
}

func unavailable(text string) *Error {
	return &Error{Code: Unavailable, Message: text, RetryAfter: retryUnavailable}
}

// maxQuoted is how many bytes of a client's input an error may contain.
const maxQuoted = 48

// Quote prepares a string of a client for an error: it puts the string in quotes, escapes
// characters that do not print, and cuts it after 48 bytes.
func Quote(s string) string {
	if len(s) <= maxQuoted {
		return strconv.Quote(s)
	}
	end := maxQuoted
	for end > maxQuoted-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return strconv.Quote(s[:end]) + "…"
}

// Printable cuts s to limit bytes and escapes what does not print, such as line breaks and
// controls of the writing direction.
func Printable(s string, limit int) string {
	var b []byte
	for _, r := range s {
		before := len(b)
		if strconv.IsPrint(r) {
			b = append(b, string(r)...)
		} else {
			quoted := strconv.QuoteRune(r)
			b = append(b, quoted[1:len(quoted)-1]...)
		}
		if len(b) > limit {
			return string(b[:before]) + "…"
		}
	}
	return string(b)
}
