package memory

import "time"

// DefaultHistoryBytes is the default of [Options.HistoryBytes].
const DefaultHistoryBytes = 256 << 20

// Options limit what a [Broker] keeps. The zero value means the defaults.
type Options struct {
	// HistoryBytes limits the memory of all rooms together, in bytes: messages, rooms that
	// nobody is attached to, and idempotency keys, which have an eighth of it. What is
	// published while older things are being removed may exceed it. 0 means
	// [DefaultHistoryBytes].
	HistoryBytes int64
	// KeyWindow is how long an idempotency key is remembered; 0 means 10 minutes.
	KeyWindow time.Duration
	// Keys is the greatest number of keys that a room remembers. When it is reached, the
	// room drops the older half. 0 means 20,000.
	Keys int
	// KeyBytes is the same limit in bytes; 0 means 2 MiB.
	KeyBytes int
	// Sweep is the time between two runs of the janitor, which frees what has expired; 0
	// means one minute.
	Sweep time.Duration
	// Outbox records messages for the app; nil means that none are recorded.
	Outbox *Outbox
	// Durable keeps rooms that are not in memory; nil means that they are lost.
	Durable Durable
	// Secret makes the epochs of rooms without messages, together with Durable's generations. A
	// broker with the same values has the same epochs. The zero value means a random secret.
	Secret string
}

func (o Options) withDefaults() Options {
	if o.HistoryBytes <= 0 {
		o.HistoryBytes = DefaultHistoryBytes
	}
	if o.KeyWindow <= 0 {
		o.KeyWindow = 10 * time.Minute
	}
	if o.Keys <= 0 {
		o.Keys = 20_000
	}
	if o.KeyBytes <= 0 {
		o.KeyBytes = 2 << 20
	}
	if o.Sweep <= 0 {
		o.Sweep = time.Minute
	}
	return o
}
