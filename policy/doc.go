// Package policy holds what the room blocks of a configuration say, compiled:
// which block a channel belongs to, who may do what there, and the block's limits.
//
// Nothing is allowed that no block allows. A channel that no block matches answers
// a client with the same words as a channel it may not use, so that trying names
// does not show which of them exist.
//
// A [*Policy] never changes after [Compile]. A new configuration is a new policy,
// and whoever holds the old one swaps it; nothing here needs a lock.
package policy
