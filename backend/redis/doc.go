// Package redis lets several nodes share rooms, members and documents through Redis:
// a single server, the primary that Sentinels name, a Redis Cluster, or several servers
// that know nothing of each other. It is the only package that knows
// github.com/redis/go-redis.
//
// # What is where
//
// Redis alone decides the order of a room. A publish is one script: it assigns the
// position, appends to the room's stream and publishes to the room's Pub/Sub
// channel. Every node broadcasts what comes back from there, that of the publisher
// included, so that all see one order. Pub/Sub may lose messages and does not say
// so; the offsets do, and what is missing is read from the stream.
//
// A shard is what one node has of one Redis: a pool of connections for commands,
// which are sent in batches while others are under way, and one connection that is
// subscribed to exactly the channels of the rooms with connections on this node.
// A broker, a presence, a store of documents and a control share it; they know nothing
// of other shards.
//
// A [Client] is one shard, or several side by side. What belongs to a channel is in
// one of them, which a hash of its name decides on all nodes alike. Each facility
// whose calls name a channel has a type in routing.go that hands them to the shard
// that has it. What is for all nodes and no channel in particular belongs to the
// first shard. Whether all is well is for all shards together to say.
//
// # In a cluster
//
// The channels are divided into partitions, each of which is a shard. All names of a
// partition, also those of leases and probes, begin with its tag in braces and are in
// one slot, so that a script may touch any of them. Its subscribed connection goes to
// the server that has the slot, and it uses the Pub/Sub that stays there: scripts and
// calls say PUBLISH, and the batcher of a partition makes it SPUBLISH.
//
// A slot may get another server at any time, because one failed or because it was
// migrated. Commands that are refused for it were not executed and follow. While keys
// are on their way, a script that needs some of both servers has to wait; it is tried
// for as long as a command may take. What is published at the new server before it has
// the slot officially reaches nobody, and is found by its offset like everything that
// Pub/Sub loses. Then the old one ends the subscriptions, and the next connection goes
// to the new one.
//
// # What is guaranteed
//
// In a room with history a node broadcasts the messages in the order of their
// offsets, without holes; or, when what is missing can not be had any more, offsets
// or an epoch that do not follow, which the hub announces as a gap. A log that went
// back in time, because Redis lost its newest part, is found by the anchors of its
// messages and by positions ahead of it; the first node that sees it gives the room
// a new epoch, so that nobody takes another message for one they know.
//
// A message that was acknowledged is stored by the primary. It is as durable as
// Redis is configured to be, and a failover to a lagging replica may lose it.
//
// A room without history is at most once: what is published while a node has no
// subscription is not delivered there, and nobody is told.
//
// A change of a document is one script as well, which appends it if the document is
// still where the change was made to. Each node hands over the changes in the order of
// their versions and each once, or says that some were missed. The anchor of a change
// is a hash of all changes up to it, so that a document that went back in time is found
// by the first node that knows more, and gets a new epoch. The keys by which a repeated
// change is known go back together with the document, because both are in one shard.
//
// # While Redis is away
//
// Connections and attachments stay. Publishing into rooms with history and reading
// history fail with [hub.ErrUnavailable], within twice the command timeout; a
// message of a room without history is delivered on its own node, and the publisher
// is told that it is degraded. Documents can not be changed; those that are attached
// can be read by whoever has followed them, which a [document.Service] does. When Redis is back all rooms compare their positions
// and catch up. A publish that fails may have been executed all the same; with a key
// it is repeated here and can be repeated by the caller without harm.
//
// # Goroutines
//
// Each shard has its own:
//
//   - One keeps the subscribed connection: it connects, reads, and broadcasts.
//     One more writes the subscriptions of a connection, one watches it.
//   - Two check positions, of rooms and of documents, and two more see to it that idle
//     ones are checked. One sweeps what nobody uses any longer.
//   - A few send commands, while there are any to send.
//   - A room has one while it repairs a hole.
//   - The presence of a node has one that renews its lease and looks for dead nodes.
//   - The control of a node has one that executes the orders of others, and one that
//     tells Redis of the connections of users.
//
// [Client.Close] ends all of them.
//
// # Locks
//
// From the outermost to the innermost:
//
//	room.mu > hub.shard.mu: the sink is called under it
//	watch.mu > presence.Tracker.mu: the sink is called under it
//	watch.mu > hub.shard.mu
//	watch.mu > hub.Conn.mu
//	follower.mu > document.Service.mu: the sink is called under it
//	follower.mu > hub.shard.mu
//	follower.mu > due.mu
//	link.mu > conn.mu
//	link.mu > dialOnce.mu
//
// Detach takes link.mu alone, so that a sink may call it from within a broadcast. No lock
// is held across anything that waits. What must be sent to Redis in order, and the taking
// of a new name, wait for a [turn].
package redis
