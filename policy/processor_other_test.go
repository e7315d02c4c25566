//go:build !unix

package policy

import "time"

var started = time.Now()

// processorTime is the time since the tests started, where that of the processors is not known.
func processorTime() time.Duration { return time.Since(started) }
