// Package poller waits for connections that are silent. A connection that waits here has no
// goroutine and no buffer: it is a descriptor, an entry in a table and a [Handler].
//
// # Why
//
// A goroutine that waits in net.Conn.Read costs at least two kilobytes of stack, which is more
// than everything else that a silent connection needs. With 100,000 connections, nearly all
// of them are silent nearly all of the time.
//
// # How
//
// The process has one epoll set of its own. Its descriptor is registered with the poller of the
// Go runtime, so that one goroutine waits for all connections, and no thread is blocked in a
// system call. When a connection can be read, that goroutine itself calls the Handler: a goroutine for
// each arrival costs more than most messages, because it wakes another processor and grows a fresh
// stack. If many connections can be read at once, more goroutines help (the type crew).
//
// A Handler that waits must not stop other connections. It calls [Conn.Yield] first: the goroutine
// then belongs to it alone, and another one waits for events. For a Handler that waits without
// having said so, a watchdog does the same within 40 milliseconds. The Handler of a [Watch] has a goroutine of its
// own, because a TLS connection does not say when it waits. Handlers of one connection never run at the same
// time: what arrives meanwhile makes the one that runs go on.
//
// Connections are registered once, edge-triggered. So a read that does not fill its buffer needs
// no second read that finds nothing, and no system call arms a connection again: an arrival
// after the read is a new edge. The exception is the end of the stream, which may have arrived
// together with the last bytes; [Conn.TryRead] then says that there is more.
//
// [Take] takes a connection over: it duplicates the descriptor and closes the net.Conn. Over
// TLS the net.Conn is needed to decrypt, and [Watch] only waits for bytes on the wire. It waits
// once for each call of [Watch.Wait] (EPOLLONESHOT): the TLS connection reads by itself, and what it
// reads must ring for nobody. The call that arms it finds what arrived before.
//
// # Descriptors
//
// A descriptor that was closed may have the same number as one that was opened afterwards. A
// system call with an old number would write to the connection of another client. Therefore:
//
//   - The number of a [Conn] is known to the Conn alone. Each system call holds a reference,
//     and the descriptor is closed when the Conn is closed and the last reference is released.
//     No system call starts after [Conn.Close].
//   - A [Watch] uses the descriptor only inside of RawConn.Control, which does the same. The owner
//     calls [Watch.Stop] before it closes the net.Conn.
//   - Events do not name descriptors. They name an entry in the table and its generation. An
//     entry has a new generation when it is used again, so an event that comes late finds
//     nothing.
//   - A descriptor is removed from the epoll set before it is closed. Otherwise a copy in a
//     process that is being started would keep it there.
//
// # What else was tried or considered
//
//   - Keeping the net.Conn and registering its descriptor: each arrival would then wake the
//     poller of the runtime as well, for nobody, and the net.Conn costs 700 bytes.
//   - A goroutine for each arrival: in rooms of five with publishing members, a delivery
//     costs a third more processor time.
//   - One goroutine per processor that reads and also handles, and nothing that relieves it: a
//     handler that asks the app would block the other connections of the same batch.
//   - EPOLLONESHOT for all connections: it needs a system call for each read.
//   - A thread that blocks in epoll_wait: the scheduler takes its processor away and gives it
//     back for each event.
//
// # Time
//
// Deadlines of reads, and of waits for space to write, do not have a timer each. They are rounded
// up by a sixteenth and share one timer (the type sweep), so that it rings a few times for any
// number of connections.
//
// # Goroutines and locks
//
// The goroutine that waits lives as long as the process, like the poller of the runtime. All
// others end when there is nothing to do. The goroutine that waits may leave with a Handler; then
// there is a new one. Systems other than Linux have no poller: Take and
// NewWatch return nil there.
//
// Locks, from the outermost to the innermost:
//
//	hub.Conn.mu > Stream.mu: the hub waits for space with its lock held
//	Stream.mu > watch.mu > poller.mu
//	watch.mu > sweep.mu
//	crew.mu: nothing is locked under it
//
// No lock is held while a Handler or a callback is called.
package poller
