package document

import (
	"errors"
	"fmt"
)

// Reason says why a change is not made. The zero Reason means that it is.
type Reason uint8

const (
	// Invalid is a patch that is malformed, or that does not fit the document.
	Invalid Reason = iota + 1
	// TooLarge is a patch, or a document as it would become, beyond the [Limits].
	TooLarge
	// Failed is a patch whose operation `test` found something else.
	Failed
	// Conflict is a change that was made to a state which is not the current one
	// any more, and that can not be made to that.
	Conflict
	// Refused is a change that leads to a state which the caller does not want.
	Refused
)

// Error is a change that is not made. Its text may be shown to whoever proposed it.
type Error struct {
	Reason Reason
	Text   string
	// Cause is what the caller's own check said; nil in other cases.
	Cause error
}

// Error gives the text.
func (e *Error) Error() string { return "document: " + e.Text }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

func failf(r Reason, format string, args ...any) *Error {
	return &Error{Reason: r, Text: fmt.Sprintf(format, args...)}
}

// Errors of services and stores.
var (
	// ErrClosed is returned by a service or store that was closed.
	ErrClosed = errors.New("document: closed")
	// ErrUnavailable is returned by a store that can not be reached, and by a
	// service whose document changes too fast elsewhere. The caller may try again.
	ErrUnavailable = errors.New("document: the store can not be reached")
	// ErrFull is returned by a store that has no room left for such a change.
	ErrFull = errors.New("document: the store is full")
	// ErrShare is returned by a store when the payer of a change has used up the share.
	ErrShare = errors.New("document: the share of the payer is used up")
)

// quote cuts what an error repeats of a patch.
func quote(s string) string {
	const most = 48
	if len(s) > most {
		return fmt.Sprintf("%q…", s[:most])
	}
	return fmt.Sprintf("%q", s)
}
