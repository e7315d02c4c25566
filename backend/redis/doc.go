// Package redis lets several nodes share rooms, members and documents through Redis: a
// single server, the primary that Sentinels name, a Redis Cluster, or several independent
// servers. No other package knows github.com/redis/go-redis.
//
// # Where to start
//
// Read in this order:
//
//   - client.go: [Client] is a node's access to Redis. [Open] makes it from [Options]
//     (options.go).
//   - shard.go: a shard is a node's access to one Redis. It has a batcher (batcher.go) that
//     sends commands, a link (link.go) that is subscribed to Pub/Sub channels, and the names
//     of all keys (names.go).
//   - broker.go and room.go: how a room works. Members and documents work alike.
//
// The other files belong to one of these parts:
//
//   - The way to Redis. call.go has one command, secret.go notices that Redis restarted.
//     conn.go has one subscribed connection, dial.go makes connections, and reply_checker.go
//     checks what arrives on them. primary.go and cluster.go know which server to use. wait.go
//     has ways to wait.
//   - Several shards. routing.go hands each call to the shard that has the channel.
//     layout.go checks that all nodes agree on that. health.go has [Client.Away] and [Stats].
//   - Rooms, a [hub.Broker]. broker_publish.go, broker_history.go, broker_local.go,
//     broker_purge.go, broker_redact.go, compare.go, room_repair.go; frame.go has the form of a
//     message. due.go broadcasts to small rooms what a link has received. feed.go has the
//     subscriptions to patterns.
//   - Members, a [presence.Store]. presence.go, presence_lease.go, presence_steps.go,
//     presence_list.go, presence_watch.go, presence_forget.go.
//   - Documents, a [document.Store]. documents.go, documents_commit.go, documents_list.go,
//     follower.go; document_wire.go has the form of an entry.
//   - Orders between nodes, [Control]. control.go, control_orders.go, control_answers.go,
//     control_headcount.go. Questions of operators: control_questions.go. Requests for one
//     node: control_forward.go.
//   - Events for the app, a [notify.Outbox]. outbox.go starts it and lets scripts record,
//     outbox_queue.go hands batches to senders, outbox_holds.go reports connections and channels,
//     outbox_compact.go bounds what waits while Redis is away.
//   - What other programs publish in Redis, [Client.Intake]. intake.go says how one node delivers it for
//     all, intake_count.go names the frames, intake_take.go takes and claims them,
//     intake_order.go keeps the order of what each node does and what one does for all.
//   - The scripts that Redis executes are in the folder lua; scripts.go loads them.
//
// # The way of a message
//
//  1. The hub calls Publish (broker_publish.go). It makes a call of lua/publish.lua.
//  2. The batcher (batcher.go) sends the call, together with other calls that wait.
//  3. The script gives the message its position, appends it to the room's stream and
//     publishes it to the room's Pub/Sub channel. So Redis alone decides the order.
//  4. Each node with connections in the room receives it (conn.go), the publisher's node
//     too. The link finds the room of the channel (link.go).
//  5. The room compares the offset with its position (room.go). The next message goes to the
//     hub, which broadcasts it. A message that was delivered before is dropped. A message
//     that is too early is held, and a repair reads what is missing (room_repair.go).
//
// Pub/Sub may lose messages without notice. A lost message shows when the next one arrives.
// If it was the last one, it shows when the node compares the room (compare.go), which it
// does after each subscription and while the room is idle.
//
// Members and documents take the same way. Their events and entries have numbers or
// versions. A watch (presence_watch.go) or a follower (follower.go) takes the place of the
// room.
//
// # Shards
//
// A client has one shard, or several side by side. Shards know nothing of each other. A hash
// of the channel's name decides which shard has the channel, on all nodes alike. Orders and
// the counts of connections belong to no channel; they are in the first shard. Redis counts
// as usable only if all shards are.
//
// # Events for the app
//
// Each shard has a queue: a stream, and a hash with its state (lua/outbox.lua). The script that
// decides something records it: a message is appended, a member enters, a change is accepted. So
// no crash lies between the two, a repeated script records nothing, and the order is that of the
// channel. Such a script has a second form that records. A node that records nothing uses the
// first form, and pays nothing.
//
// No script decides that a connection starts or that a channel has its first subscriber. The
// nodes report that (outbox_holds.go), in numbered reports: one that arrives twice does nothing.
// What a node has reported ends with its lease. The first node that notices a lease that is over
// reaps: it records what ends by that. A reaped node that is back reports all that it has once
// more. Redis remembers for a day which nodes were reaped. So a node that finds nothing of its own,
// and was not reaped, knows that Redis lost data; then it reports without events.
//
// The members of a dead node leave by lua/presence_reap.lua, which records that like any leaving.
//
// # In a cluster
//
// The channels are divided into partitions, and each partition is a shard. All names of a
// partition start with its tag in braces, those of leases and probes too. So all of them are
// in one slot, and a script may use any of them. The subscribed connection goes to the server
// that has the slot. It uses sharded Pub/Sub: in a cluster, call.go and scripts.go turn
// PUBLISH into SPUBLISH.
//
// A slot may move to another server at any time, in a failover or a migration. The old server
// rejects commands without executing them, and the batcher sends them to the new one. During
// a migration a script may need keys of both servers. Then Redis rejects it, and the batcher
// repeats it for as long as a command may take. A message that is published on the new server
// before the slot is officially there reaches nobody; its offset shows that it is missing.
// In the end the old server ends the subscriptions, and the next connection goes to the new
// server.
//
// # What is guaranteed
//
// In a room with history a node delivers the messages in the order of their offsets, without
// holes. If a missing message is lost for good, the offsets or the epoch have a gap, and the
// hub announces it. Redis may lose the newest part of a log. Nodes notice that by the anchors
// of messages, and by positions that are ahead of the log. The first node that notices it
// gives the room a new epoch, so that no client takes a new message for one that it knows.
//
// The primary has stored every acknowledged message. It is as durable as Redis is configured
// to be; a failover to a replica that lags may lose it.
//
// A message of a room without history is delivered at most once. A node that has no
// subscription at that moment misses it, and nobody is told.
//
// A change of a document is one script too. It appends the change if the document is still at
// the version for which the change was made. Each node delivers the changes in the order of
// their versions, each once, or says that some were missed. The anchor of a change is a hash
// of all changes up to it. So the first node that knows more than Redis notices that a
// document went back in time, and gives it a new epoch. The keys that recognize a repeated
// change go back together with the document, because both are in one shard.
//
// # While Redis is away
//
// Connections and attachments stay.
//
//   - Publishing into a room with history, and reading history, fail with
//     [hub.ErrUnavailable] within twice the command timeout.
//   - A message of a room without history is delivered on its own node, and the publisher
//     learns that it is degraded.
//   - Documents can not be changed. Attached documents can be read, because a
//     [document.Service] keeps what it has followed.
//
// A publish that fails may have been executed all the same. With a key this package repeats
// it, and the caller can repeat it without harm. When Redis is back, all rooms compare their
// positions and read what they missed.
//
// # Goroutines
//
// Each shard has its own:
//
//   - link.keepConnected makes the subscribed connections and reads from them. While one is
//     open, conn.writeChanges writes subscriptions and conn.watchSilence watches it.
//   - link.unsubscribeIdleUntilClosed unsubscribes from topics that nobody uses.
//   - batcher.sendUntilEmpty sends commands; up to three run while there are any.
//   - The broker and the documents each have one that compares positions, and one that
//     queues idle rooms or documents for that.
//   - A room has one during a repair (room.repairLoop).
//   - Presence.renewLeaseUntilClosed renews the lease of the node and looks for dead nodes.
//   - Control.followOrders executes the orders of other nodes;
//     headcount.reportUntilClosed reports the connections of users.
//     questions.answerUntilClosed answers questions of other nodes;
//     questions.announceUntilClosed announces that this node is there.
//   - Intake.takeUntilClosed takes what other programs publish.
//   - holds.reportUntilClosed reports connections and channels, and looks for dead nodes.
//
// A client has one more for each place where it announces its layout
// (layout.announceUntilClosed). [Client.Close] ends all of them.
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
//	follower.mu > compareQueue.mu
//	link.mu > conn.mu
//	link.mu > dialOnce.mu
//
// Detach locks only link.mu, so a sink may call it during a broadcast. No lock is held across
// anything that waits. Changes that must reach Redis in order, and the taking of a new name,
// wait for a [turn] instead.
package redis
