// Package hub keeps the rooms of one node: which connections are in them, what
// they are sent, and in which order. It knows no wire protocol, no HTTP and no
// store: a [Transport] writes bytes, an [Encoder] makes them, a [Broker] assigns
// positions and keeps history.
//
// # Usage
//
// [New] builds a hub around a broker. A transport calls [Hub.Connect] for each
// client and gets a [Conn]; a session then uses [Hub.Subscribe],
// [Hub.Unsubscribe] and [Hub.Publish] on the client's behalf. [Hub.Apply] swaps
// the settings of a living hub, [Hub.Drain] and [Hub.Close] end it.
//
// # What is guaranteed
//
// In one room, a connection is sent the messages in the order of their offsets.
// Each message after the position it subscribed at reaches its queue exactly
// once, or a [Gap] stands in its place: because the queue overflowed and the room
// drops ([SlowDropOldest], [SlowLatest]), because more arrived during the replay
// than could be held back, because more came from other nodes than the room could
// broadcast in time, or because the broker delivered offsets with a hole.
// Less formally: what was lost is always announced.
//
// A message to one member ([Direct]) is queued at its place among the others, for the
// connections that it is addressed to. It has no position, and is nothing that could be
// lost: no gap stands for it.
//
// There is no order between rooms, except that everything queued for one
// connection is written in the order in which it was queued.
//
// # Goroutines
//
//   - The hub runs one goroutine for heartbeats, from New to Close.
//   - A room has a goroutine only while it has something to broadcast: it takes
//     all that is pending, encodes it once per Encoder and writes it to, or queues
//     it for, each member. In small rooms the publisher does this itself. What is
//     pending is bounded, in each room and in all: publishers wait for space before
//     their message is accepted ([Hub.Reserve]); nobody else ever waits.
//   - A connection has a goroutine only while its transport cannot take more: it
//     drains the queue in as few writes as possible and ends.
//   - A connection that ends has one until its last bytes are written or given up.
//
// A panic in one of them costs the connection at which it came up, and is logged.
//
// Nothing else is started. An idle connection costs its structs and no buffer.
//
// # Locks
//
// From the outermost to the innermost:
//
//	shard.mu > room.mu
//	Hub.mu > heartbeat.mu
//
// A broker may call [Hub.Broadcast] and [Hub.Skip] with a lock of its own held. Nothing
// of the hub is locked while Conn.mu is held; a [Stamper] may lock its own state. No lock
// is held across anything that waits. A [TryWriter] is called under Conn.mu because it
// never waits. A broadcast takes the members of a room as a snapshot and visits them
// without the room's lock. The test in internal/lockorder checks all this.
//
// Methods of Hub and Conn may be called by several goroutines at once.
package hub
