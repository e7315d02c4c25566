package redis

// names makes the keys and Pub/Sub channels of a shard. The name of a room is in braces. It has
// no braces itself, so its end is clear. In a cluster the prefix ends in the tag of a partition
// in braces. The first braces of a name decide the slot, so all these names are in the slot of
// the tag.
type names struct{ prefix string }

func (n names) key(kind, channel string) string { return n.prefix + kind + ":{" + channel + "}" }

// meta is a hash: e, the epoch; s, the greatest offset; a, the anchor of the message there.
func (n names) meta(channel string) string { return n.key("m", channel) }

// stream has the messages of a room. An id is the offset and the time of Redis in milliseconds.
func (n names) stream(channel string) string { return n.key("s", channel) }

// secret is a text from which scripts compute the epochs of rooms without messages.
func (n names) secret() string { return n.prefix + "secret" }

// keys store the results of publishes with an idempotency key. They are in the order of
// idempotency_keys.lua.
func (n names) keys(channel string) []string {
	room, all := n.key("i", channel), n.prefix+"keys"
	return []string{room + ":0", room + ":1", room + ":2", all, all + ":0", all + ":1", all + ":2"}
}

// topic is the Pub/Sub channel of a room.
func (n names) topic(channel string) string { return n.key("c", channel) }

// feed is the Pub/Sub channel of a feed. Its name is the pattern of a room block without
// placeholders, so it has no braces.
func (n names) feed(name string) string { return n.key("f", name) }

// probe is the Pub/Sub channel on which a node receives its own probes.
func (n names) probe(node string) string { return n.prefix + "probe:" + node }

// presence is the Pub/Sub channel of a room's presence events.
func (n names) presence(channel string) string { return n.key("p", channel) }

// members are the keys of a room's members, in the order of presence.lua: holds, looks, index;
// the members who left, with index and expiry; counters.
func (n names) members(channel string) []string {
	keys := make([]string, 0, 15)
	for _, kind := range []string{"ph", "pl", "pi", "pg", "pgi", "pge", "pn"} {
		keys = append(keys, n.key(kind, channel))
	}
	return keys
}

// held is the set of a room's members that a node holds.
func (n names) held(channel, node string) string { return n.key("px", channel) + ":" + node }

// latest is the number of the latest script that Redis executed for a node in a room.
func (n names) latest(channel, node string) string { return n.held(channel, node) + ":n" }

// remembered are the members who left any room and are remembered: by the time they left, by
// the time they are forgotten, and the number of their bytes.
func (n names) remembered() []string {
	all := n.prefix + "remembered"
	return []string{all, all + ":ends", all + ":books"}
}

// holding is the set of rooms in which a node holds members.
func (n names) holding(node string) string { return n.prefix + "rooms:" + node }

// document returns head and log of a room's document.
func (n names) document(channel string) []string {
	return []string{n.key("dh", channel), n.key("dl", channel)}
}

// ledger returns the keys of document_ledger.lua: index, bills, used, ends, epochs.
func (n names) ledger() []string {
	all := n.prefix + "documents"
	return []string{all, all + ":bills", all + ":used", all + ":ends", all + ":epochs"}
}

// change stores the result of one change of a document.
func (n names) change(channel, key string) string { return n.key("dk", channel) + ":" + key }

// changes is the Pub/Sub channel of a document's entries.
func (n names) changes(channel string) string { return n.key("d", channel) }

// leases has the nodes with a lease, dead those whose lease is over.
func (n names) leases() string { return n.prefix + "nodes" }

func (n names) dead() string { return n.prefix + "dead" }

// steps has, for each node, how many changes of members Redis executed. Under the node with
// ":from" it has the lowest number of a script that the node still waits for.
func (n names) steps() string { return n.prefix + "steps" }

// control makes the keys of orders and counts. Scripts touch several of them, so they are in
// one slot.
func (n names) control(kind string) string { return n.prefix + "{control}:" + kind }

// layouts has the announced layouts, by the time they expire. In a cluster it starts with the
// prefix without the tag of a partition.
func (n names) layouts() string { return n.prefix + "{layout}" }

// orders is the stream of orders. standing is a hash of the standing orders by name, which
// nodes that start later execute. lasting has their names by the time they end.
func (n names) orders() string { return n.control("orders") }

func (n names) standing() string { return n.control("standing") }

func (n names) lasting() string { return n.control("lasting") }

// nodes has the nodes that count connections of users, by the end of their lease. users has the
// counts of one node.
func (n names) nodes() string { return n.control("nodes") }

func (n names) users(node string) string { return n.control("users:" + node) }

// outbox is the state of the events for the app, outboxLog the stream of them, and outboxTopic the
// Pub/Sub channel that wakes their senders.
func (n names) outbox() string { return n.prefix + "outbox" }

func (n names) outboxLog() string { return n.outbox() + ":log" }

func (n names) outboxTopic() string { return n.outbox() + ":wake" }

// outboxNodes has the nodes that report connections and channels, by the end of their lease, and
// outboxReaped those whose lease was over. outboxHas is what a node has, and outboxIn the set of the
// nodes that have a channel.
func (n names) outboxNodes() string { return n.outbox() + ":nodes" }

func (n names) outboxReaped() string { return n.outbox() + ":reaped" }

func (n names) outboxHas(node string) string { return n.outbox() + ":has:" + node }

func (n names) outboxIn(channel string) string { return n.outbox() + ":in:" + channel }

// ordered is the Pub/Sub channel that announces an order. answers is the one on which a node
// receives the answers to its orders.
func (n names) ordered() string { return n.control("ordered") }

func (n names) answers(node string) string { return n.control("answers:" + node) }

// intakeLeader is the key with the node that delivers what other programs publish. intakeClaim is the key with
// the node that delivers one frame of that. intakeMark is the Pub/Sub channel of the marks from which nodes
// count frames.
func (n names) intakeLeader() string { return n.prefix + "intake:leader" }

func (n names) intakeClaim(id string) string { return n.prefix + "intake:claim:" + id }

func (n names) intakeMark() string { return n.prefix + "intake:mark" }

// announced has the nodes that are there, by the end of their announcement. asked is the Pub/Sub
// channel of questions, and replies the one on which a node receives the replies to its own.
func (n names) announced() string { return n.control("announced") }

func (n names) asked() string { return n.control("asked") }

func (n names) replies(node string) string { return n.control("replies:" + node) }

// forwarded is the Pub/Sub channel on which a node receives what is for it alone.
func (n names) forwarded(node string) string { return n.control("forwarded:" + node) }
