// Package history keeps the newest entries of one room and decides whether a reader that
// stopped at a position can continue.
//
// A [Log] numbers its entries 1, 2, 3 … within an epoch. It keeps as many of the newest
// entries as its [Bounds] allow, without holes, and drops the others. [Extent.Decide]
// makes the decision from three small values alone, so that a backend that keeps its
// entries elsewhere decides in the same way.
//
// # Concurrency
//
// The package starts no goroutine, takes no lock and does not read the clock. The caller
// locks a Log, with the lock of its room, and passes the time as an argument.
//
// # Memory
//
// An empty log has no buffer. The buffer grows with the entries up to Bounds.Size, shrinks
// when most of it is unused, and is freed with the last entry. The slot of a dropped entry
// is cleared, so a log never keeps a dropped entry alive.
package history
