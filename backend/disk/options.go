package disk

import (
	"cmp"
	"log/slog"
	"time"
)

// Options say where a store is. Dir and Hub are required.
type Options struct {
	// Dir is the folder of the store. It is made if it does not exist.
	Dir string
	// Hub is the name of the hub whose rooms the store keeps. A store has one hub.
	Hub string
	// Wait is how long Open waits for another process that has the store open, such as the
	// old one of an upgrade. 0 means 10 seconds.
	Wait time.Duration
	// KeyWindow is how long an idempotency key is remembered; 0 means 10 minutes.
	KeyWindow time.Duration
	// Sync is how long an operation may wait for others, to share their transaction; 0 means
	// that only those share it that arrive while another transaction is committed.
	Sync time.Duration
	// Return is how long users have at least to return after the store was opened, before they
	// leave their rooms. 0 means 30 seconds, which is how long the browser client waits at most
	// between two attempts to connect.
	Return time.Duration
	// Logger gets what an operator should know; nil means the default one.
	Logger *slog.Logger

	sweep    time.Duration // between two removals of what has expired; 0: a minute
	maxBytes int           // of the file; 0: no bound; tests fill the store with it
	minFree  int64         // bytes of free pages that are worth a compaction; 0: 16 MiB
	readOnly bool
	eager    bool                             // tests compact after each sweep
	compare  func(old *file, copied *copying) // tests compare the files before the switch
}

func (o Options) withDefaults() Options {
	o.Wait = cmp.Or(o.Wait, 10*time.Second)
	o.KeyWindow = cmp.Or(o.KeyWindow, 10*time.Minute)
	o.Return = cmp.Or(o.Return, 30*time.Second)
	o.minFree = cmp.Or(o.minFree, 16<<20)
	o.sweep = cmp.Or(o.sweep, time.Minute)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}
