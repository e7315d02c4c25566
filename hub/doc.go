// Package hub keeps the rooms of one node: which connections are in them, what they are
// sent, and in which order. It knows no wire protocol, no HTTP and no store: a
// [Transport] writes bytes, an [Encoder] makes them, a [Broker] sets positions and keeps
// the history.
//
// # Usage
//
// [New] builds a hub around a broker. A transport calls [Hub.Connect] for each
// client and gets a [Conn]. A session then calls [Hub.Subscribe], [Hub.Unsubscribe] and
// [Hub.Publish] for the client. [Hub.Apply] changes the settings of a running hub,
// [Hub.Drain] and [Hub.Close] end it.
//
// # What is guaranteed
//
// A connection receives the messages of one room in the order of their offsets. Each
// message after the position at which it subscribed reaches its queue exactly once, or a
// [Gap] takes its place. There are four causes of a gap:
//
//   - The queue was full and the room drops messages ([SlowDropOldest], [SlowLatest]).
//   - More messages arrived during the replay than could be held back.
//   - More came from other nodes than the room could broadcast in time.
//   - The broker delivered offsets with a hole.
//
// So a loss is always announced. The exception is a message to one member ([Direct]): it
// is queued among the other messages, for the connections that it is addressed to, but it
// has no position, and no gap takes its place when it is dropped.
//
// There is no order between rooms. Everything that is queued for one connection is
// written in the order in which it was queued.
//
// # Goroutines
//
//   - The hub runs one goroutine for heartbeats, from New to Close.
//   - A room has a goroutine only while it has something to broadcast. The goroutine
//     takes what is pending, encodes it once per Encoder and writes it to each member
//     or queues it. In small rooms the publisher does this itself. What is pending is
//     bounded, for each room and for all rooms together: publishers wait for space
//     before their message is accepted ([Hub.Reserve]), and no other caller waits.
//   - A connection has a goroutine only while its transport cannot take more, and cannot
//     wait for space by itself ([WriteWaiter]). The goroutine writes the queue in as few
//     writes as possible and ends.
//   - A closed connection has a goroutine until its last bytes are written or dropped.
//
// A panic in one of them closes the connection at which it came up, and is logged.
//
// The hub starts no other goroutine. An idle connection has no buffer.
//
// # Locks
//
// From the outermost to the innermost:
//
//	shard.mu > room.mu
//	feeds.mu > room.mu
//	Hub.mu > heartbeat.mu
//	shard.mu > memory.Outbox.mu: an Occupancy is notified under it
//	shard.mu > redis.holds.mu: the same
//
// A broker may call [Hub.Broadcast], [Hub.Skip], [Hub.Feed] and [Hub.FeedLost] with a lock of its own held. Nothing
// of the hub is locked while Conn.mu is held; a [Stamper] may lock its own state. No lock
// is held across anything that waits. A [TryWriter] is called under Conn.mu because it
// never waits. A broadcast takes the members of a room as a snapshot and visits them
// without the room's lock. The test in internal/lockorder checks all this.
//
// Methods of Hub and Conn may be called by several goroutines at once.
package hub
