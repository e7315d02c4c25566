// Package window counts events within windows of time.
package window

import "time"

// Counter counts the events of a window. A window starts with its first event, so that
// the counter needs no timer. The zero value is ready for use. It has no lock: it belongs
// to the goroutine, or to the lock, of the struct that holds it.
type Counter struct {
	since time.Time
	count int
}

// Add counts an event at now and returns how many the window has so far. The first event
// that comes length or more after the start of a window starts the next one.
func (c *Counter) Add(now time.Time, length time.Duration) int {
	if c.count == 0 || now.Sub(c.since) >= length {
		*c = Counter{since: now}
	}
	c.count++
	return c.count
}
