package attacks

import "os"

// long has each attack in its full size, as `make attacks` runs it. In `make test` some are
// smaller: what they look for shows with fewer repetitions as well.
var long = os.Getenv("REALTIME_ATTACKS") != ""

func sized[T any](short, full T) T {
	if long {
		return full
	}
	return short
}
