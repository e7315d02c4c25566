package tally

import "time"

// Calls counts requests that this server makes, such as those to the app. Several goroutines
// may use it at once. The nil Calls counts nothing.
type Calls struct {
	outcomes Vector[string]
	delays   *Histogram
}

// NewCalls returns an empty count.
func NewCalls() *Calls {
	const ms = time.Millisecond
	return &Calls{delays: NewHistogram(ms, 2500*time.Microsecond, 5*ms, 10*ms, 25*ms, 50*ms, 100*ms, 250*ms, 500*ms, time.Second, 3*time.Second, 10*time.Second)}
}

// Count counts a request that took so long. outcome is a word of the server.
func (c *Calls) Count(outcome string, took time.Duration) {
	if c != nil {
		c.outcomes.Add(outcome, 1)
		c.delays.Observe(took, 1)
	}
}

// CallCounts are the counts of [Calls] at one moment.
type CallCounts struct {
	Outcomes map[string]uint64
	Delays   Durations
}

// Counts returns the counts at this moment.
func (c *Calls) Counts() (n CallCounts) {
	n.Outcomes = c.outcomes.Counts()
	c.delays.AddTo(&n.Delays)
	return n
}
