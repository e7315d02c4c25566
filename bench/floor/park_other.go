//go:build !linux

package floor

import (
	"errors"
	"net/http"
)

// Park does nothing: the poller is for Linux alone.
func Park(http.ResponseWriter, *http.Request) error { return errors.ErrUnsupported }
