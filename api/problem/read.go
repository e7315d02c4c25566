package problem

import (
	"errors"
	"net/http"
	"os"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// ReadError returns the answer to an error of reading a body of at most limit bytes, or nil for nil.
func ReadError(err error, limit int64) *protocol.Error {
	var large *http.MaxBytesError
	var rejected *protocol.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &rejected):
		return rejected
	case errors.As(err, &large):
		return protocol.Errorf(protocol.TooLarge, "the body is larger than %d bytes", limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return protocol.Errorf(protocol.InvalidMessage, "the body did not arrive in time")
	}
	return protocol.Errorf(protocol.InvalidMessage, "the body ended too early")
}
