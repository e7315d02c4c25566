// Package history keeps the newest entries of one room and decides whether a
// reader that stopped somewhere can catch up.
//
// A [Log] numbers its entries 1, 2, 3 … within an epoch, keeps as many as its
// [Bounds] allow and lets go of the others: entries without holes, always the
// newest ones. [Extent.Decide] is the recovery decision on its own, a function of
// three small values, so that a backend whose entries lie elsewhere comes to the
// same answers.
//
// # Concurrency
//
// Nothing here starts a goroutine, takes a lock or looks at the clock. A Log
// belongs to whoever holds the lock of its room; the time is an argument.
//
// # Memory
//
// An empty log has no buffer. The buffer grows with the entries up to
// Bounds.Size, shrinks when most of it is unused, and is given back when the last
// entry goes. A slot that was left is cleared, so a log never keeps a dropped
// entry alive.
package history
