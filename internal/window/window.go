// Package window counts events within windows of time.
package window

import "time"

// Counter counts the events of a window. A window starts with its first event, so that
// the counter needs no timer. The zero value is ready for use. It has no lock: it belongs
// to the goroutine, or to the lock, of the struct that holds it.
type Counter struct {
	since time.Duration // of epoch
	count int
}

// epoch is any fixed time. A time since it is a third of a [time.Time], and as exact; many
// connections have a counter each.
var epoch = time.Now()

// Add counts an event at now and returns how many the window has so far. The first event
// that comes length or more after the start of a window starts the next one.
func (c *Counter) Add(now time.Time, length time.Duration) int {
	if since := now.Sub(epoch); c.count == 0 || since-c.since >= length {
		*c = Counter{since: since}
	}
	c.count++
	return c.count
}
