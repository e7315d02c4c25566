package document

import (
	"errors"
	"fmt"
)

// Reason says why a change is rejected. The zero Reason means that it is accepted.
type Reason uint8

const (
	// Invalid: the patch is malformed, or does not fit the document.
	Invalid Reason = iota + 1
	// TooLarge: the patch, or the document after it, exceeds the [Limits].
	TooLarge
	// Failed: an operation `test` of the patch found another value.
	Failed
	// Conflict: the change was made to an older state and cannot be applied to the
	// current one.
	Conflict
	// Rejected: [Change].Check does not allow the state after the change.
	Rejected
)

// Error says why a change is rejected. The text may be shown to the client.
type Error struct {
	Reason Reason
	Text   string
	// Cause is the error of [Change].Check; nil in other cases.
	Cause error
}

// Error returns the text.
func (e *Error) Error() string { return "document: " + e.Text }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

func failf(r Reason, format string, args ...any) *Error {
	return &Error{Reason: r, Text: fmt.Sprintf(format, args...)}
}

// Errors of services and stores.
var (
	// ErrClosed is returned by a service or store that was closed.
	ErrClosed = errors.New("document: closed")
	// ErrUnavailable is returned if the store cannot be reached, and if other nodes change
	// the document too fast. The caller may retry.
	ErrUnavailable = errors.New("document: the store can not be reached")
	// ErrFull is returned by a store that has no space for a change.
	ErrFull = errors.New("document: the store is full")
	// ErrShare is returned by a store if the payer of a change has used up its share.
	ErrShare = errors.New("document: the share of the payer is used up")
)

// quote quotes a part of a patch for an error, and cuts it if it is long.
func quote(s string) string {
	const most = 48
	if len(s) > most {
		return fmt.Sprintf("%q…", s[:most])
	}
	return fmt.Sprintf("%q", s)
}
