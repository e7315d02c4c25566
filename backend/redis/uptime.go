package redis

import "time"

var started = time.Now()

// uptime is for how long this process has been running. It goes by the clock that nobody
// sets: whoever waits for a time of day waits for hours when that is set back.
func uptime() time.Duration { return time.Since(started) }
