// Package lockorder checks the locks of the module. It reads the source and finds, for each
// mutex, which others a function waits for while it holds that one, in itself and in all
// that it calls. A mutex is a field of a type, whatever value it belongs to.
//
// # Rules
//
//   - A function that takes a lock releases it, and no function releases the lock of its
//     caller.
//   - One lock is waited for under another one only if a package comment says so.
//   - The same holds for everything else that takes long under a lock: a channel, a
//     connection, a goroutine that must end.
//   - What a package comment says of locks, a function does.
//
// A package comment says it in lines of this form, from the outermost lock to the innermost:
//
//	// room.mu > other.mu > hub.shard.mu: why
//
// The package is left out for locks of the same one. The last lock may be the word
// waiting. What follows from two lines need not be written.
//
// # The order between packages
//
// Most locks of a backend may be held while it delivers to the packages above; its own
// package comment says which. Only the following are further out.
//
//	node.Node.mu > session.Registry.applying
//	node.Node.mu > hub.feeds.mu
//	node.Node.mu > memory.room.mu
//	node.Node.mu > redis.Presence.mu
//	node.Node.mu > redis.Broker.mu
//	node.Node.mu > redis.room.mu
//	node.Node.mu > redis.watch.mu
//	node.Node.mu > redis.batcher.mu
//	node.Node.mu > waiting: the start of a hub asks Redis within a timeout; if it fails it closes its parts
//	session.Registry.applying > session.Session.mu > hub.Hub.mu
//	session.Session.mu > memory.Outbox.mu
//	session.Session.mu > redis.holds.mu
//	node.Node.mu > notify.Service.mu
//	session.Registry.applying > session.sessions.mu > redis.headcount.mu
//	session.Registry.applying > memory.table.mu
//	session.Registry.applying > memory.shard.mu
//	session.Registry.applying > redis.link.mu
//
// # Limits
//
// A function value is followed through variables, fields and parameters, not through maps
// of other packages or reflection. A call of an interface's method is a call of all methods
// of the module that implement it, if the module declares the interface. Of branches that
// differ, both are taken.
package lockorder
