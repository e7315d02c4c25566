// Package policy holds the room blocks of a configuration in compiled form: which block
// a channel belongs to, who may do what there, which content is accepted, and the
// limits of the block.
//
// What no block allows is not allowed. For a channel that no block matches, a client
// gets the same error as for a channel that it may not use. So a client that tries
// names does not learn which of them exist.
//
// # Permissions
//
// [Room.Allow] decides about a [Subject]: the user, claims and grants of a caller. Both
// of the following must hold. The access of the action names the subject: anyone, users,
// those with a grant, or nobody but the app. And each placeholder of the pattern stands
// for the subject's own value. Neither replaces the other.
//
// # Content
//
// [Room.Check] checks what a client publishes: first the bounds, then the schema, then
// it sanitizes. It is called for what the app publishes only if the app asks for it.
// This package is the only door to the libraries for JSON Schema and for HTML. It bounds
// what they may cost before it calls them.
//
// # Concurrency
//
// A [*Policy] never changes after [Compile], so nothing here needs a lock. A new
// configuration is a new policy, and the holder of the old one replaces it.
package policy
