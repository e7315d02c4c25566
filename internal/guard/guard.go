// Package guard keeps a panic from ending the process. A panic costs the connection, room
// or job whose goroutine it is in, and is logged with its stack.
//
// Every goroutine of the module begins with a deferred [Recover], or with a deferred
// function that calls recover and then [Report]. A goroutine that works for many runs each
// job through [Run], or the whole loop through [Loop]. Tests in this package read
// the source: they find the goroutines that do not, and the guards whose work no test lets
// panic.
package guard

import (
	"log/slog"
	"runtime/debug"
	"time"
)

// rest is the pause of [Loop] after a panic, so that one that comes again and again costs
// little.
const rest = time.Second

// Recover ends a panic of the function that defers it, and logs the panic. Then it calls
// the functions in after, which clean up what the panic left behind. Without a panic it
// does nothing.
func Recover(log *slog.Logger, what string, after ...func()) {
	v := recover()
	if v == nil {
		return
	}
	Report(log, what, v)
	for _, f := range after {
		Run(log, what, f)
	}
}

// Report logs a panic with its stack. The deferred function that has recovered it calls
// Report. A nil log means the default one.
func Report(log *slog.Logger, what string, v any) {
	if log == nil {
		log = slog.Default()
	}
	log.Error("panic in "+what, slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
}

// Run calls f and reports whether it returned without a panic.
func Run(log *slog.Logger, what string, f func()) (ok bool) {
	defer Recover(log, what)
	f()
	return true
}

// Loop calls f until it returns. After a panic it waits for a second and calls f again. It
// returns early when done is closed.
func Loop(done <-chan struct{}, log *slog.Logger, what string, f func()) {
	for !Run(log, what, f) {
		t := time.NewTimer(rest)
		select {
		case <-t.C:
		case <-done:
			t.Stop()
			return
		}
	}
}
