// Package policy holds what the room blocks of a configuration say, compiled:
// which block a channel belongs to, who may do what there, what a content has to
// look like, and the block's limits.
//
// Nothing is allowed that no block allows. A channel that no block matches answers
// a client with the same words as a channel it may not use, so that trying names
// does not show which of them exist.
//
// # Permissions
//
// [Room.Allow] decides about a [Subject], which is what is known of a caller: the
// user, claims and grants of a token. Two things have to be right. The access of
// the action names who may do it: anyone, users, those with a grant, or nobody but
// the server. And each placeholder of the pattern must stand for what the subject
// has in its place. Neither makes up for the other.
//
// # Content
//
// [Room.Check] holds what a client publishes against bounds, schema and sanitizing,
// in this order. It is not called for what the app publishes unless the app asks
// for it. This package is the only door to the libraries for JSON Schema and for
// HTML; what they cost in the worst case is bounded here, before they are called.
//
// # Concurrency
//
// A [*Policy] never changes after [Compile]. A new configuration is a new policy,
// and whoever holds the old one swaps it; nothing here needs a lock.
package policy
