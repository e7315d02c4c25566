package history

// Position is a place in a log. Its fields are those of hub.Position, so that
// one converts to the other; the packages of the core do not import each other.
type Position struct {
	// Epoch names one incarnation of the log.
	Epoch string
	// Offset counts the entries of the epoch from 1; 0 is before the first.
	Offset uint64
	// Anchor is a short hash of the entry at Offset; 0 means unknown.
	Anchor uint32
}
