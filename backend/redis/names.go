package redis

// names makes the keys and channels of a shard. The name of a room's channel is in
// braces, of which it has none itself, so that it is clear where it ends. In a cluster
// the prefix ends in the tag of a partition: the first braces count there, and all
// that is named here is in the slot of that tag.
type names struct{ prefix string }

func (n names) key(kind, channel string) string { return n.prefix + kind + ":{" + channel + "}" }

// meta is a hash: e, the epoch; s, the greatest offset; a, the anchor of its message.
func (n names) meta(channel string) string { return n.key("m", channel) }

// stream has the messages of a room. An id is the offset, then the time of Redis in
// milliseconds.
func (n names) stream(channel string) string { return n.key("s", channel) }

// secret is of what scripts make the epochs of rooms without messages.
func (n names) secret() string { return n.prefix + "secret" }

// keys remember what became of idempotent publishes, in the order of keys.lua.
func (n names) keys(channel string) []string {
	room, all := n.key("i", channel), n.prefix+"keys"
	return []string{room + ":0", room + ":1", room + ":2", all, all + ":0", all + ":1", all + ":2"}
}

// topic is the Pub/Sub channel of a room.
func (n names) topic(channel string) string { return n.key("c", channel) }

// probe is the Pub/Sub channel on which a node hears itself.
func (n names) probe(node string) string { return n.prefix + "probe:" + node }

// presence is the Pub/Sub channel of a room's presence events.
func (n names) presence(channel string) string { return n.key("p", channel) }

// members are the keys of a room's members, in the order of presence.lua: holds,
// looks, index; those who left, index and expiry of these; counters.
func (n names) members(channel string) []string {
	keys := make([]string, 0, 15)
	for _, kind := range []string{"ph", "pl", "pi", "pg", "pgi", "pge", "pn"} {
		keys = append(keys, n.key(kind, channel))
	}
	return keys
}

// held are the members of a room that a node holds.
func (n names) held(channel, node string) string { return n.key("px", channel) + ":" + node }

// latest is the number of the latest script that a node had executed in a room.
func (n names) latest(channel, node string) string { return n.held(channel, node) + ":n" }

// remembered are those who left any room and are remembered: by when they left, by when
// they are forgotten, and how many bytes they take.
func (n names) remembered() []string {
	all := n.prefix + "remembered"
	return []string{all, all + ":ends", all + ":books"}
}

// holding are the rooms in which a node holds members.
func (n names) holding(node string) string { return n.prefix + "rooms:" + node }

// document are head and log of a room's document.
func (n names) document(channel string) []string {
	return []string{n.key("dh", channel), n.key("dl", channel)}
}

// ledger are the keys of ledger.lua: index, bills, used, ends, epochs.
func (n names) ledger() []string {
	all := n.prefix + "documents"
	return []string{all, all + ":bills", all + ":used", all + ":ends", all + ":epochs"}
}

// change remembers what became of a change of a document.
func (n names) change(channel, key string) string { return n.key("dk", channel) + ":" + key }

// changes is the Pub/Sub channel of a document's entries.
func (n names) changes(channel string) string { return n.key("d", channel) }

// leases and dead are the nodes that live and those that do not.
func (n names) leases() string { return n.prefix + "nodes" }

func (n names) dead() string { return n.prefix + "dead" }

// steps is how many changes of members each node has had executed, and under the node
// with ":from" the lowest number of one that it waits for.
func (n names) steps() string { return n.prefix + "steps" }

// control makes what nodes tell each other by, which scripts touch together.
func (n names) control(kind string) string { return n.prefix + "{control}:" + kind }

// layouts has how nodes divide the channels, by when that ends. In a cluster it begins
// with the prefix without the tag of a partition.
func (n names) layouts() string { return n.prefix + "{layout}" }

// orders is the stream of orders. Standing is a hash of those that nodes which start
// later are given, by name; lasting has the names by when they end.
func (n names) orders() string { return n.control("orders") }

func (n names) standing() string { return n.control("standing") }

func (n names) lasting() string { return n.control("lasting") }

// nodes has those that count the connections of users, by when their lease ends, and
// users what each has counted.
func (n names) nodes() string { return n.control("nodes") }

func (n names) users(node string) string { return n.control("users:" + node) }

// ordered is the Pub/Sub channel that says that there is an order, and answers the one
// on which a node hears what became of its own.
func (n names) ordered() string { return n.control("ordered") }

func (n names) answers(node string) string { return n.control("answers:" + node) }
