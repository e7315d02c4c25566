// Package node is a hub with everything that belongs to it on this node: the backend,
// members, documents and sessions.
//
// A [Node] outlives configurations. Each configuration has a [Use] of it. A reload applies
// the new use when the configuration before hands over: Caddy provisions configurations
// that it only validates, and starts some of which another app fails, so that the end of
// the one before is the first sign that all apps have started. Requests that come by the
// new configuration wait for that with [Use.Wait].
//
// # Imports
//
// The package knows no Caddy and no configuration, not even by way of what it imports. It
// imports the core, sessions and the backends. Start reading in node.go.
//
// # Locks
//
// Node.mu is held while a hub is started or changed. A node that ends closes its parts
// without the lock, because that waits for connections and for Redis. A hub that
// starts executes the orders of its store on disk:
//
//	Node.mu > auth.Guard.mu
//	Node.mu > auth.Revocations.mu
//	Node.mu > session.recentKicks.mu
//	Node.mu > session.lostConns.mu
//
// This package takes no other lock while it holds Node.mu.
package node
