package presence

import (
	"slices"
	"strings"
)

// Frame is what a room is announced: a [*Diff], or a [*Snapshot] in place of a
// diff that would have named too many. Frames are immutable and shared.
type Frame interface{ frame() }

// Snapshot is the state of a room, or a page of it. It replaces what a watcher
// had in the range of keys it covers: from After (not included) to the last of
// Members, or to the end if Next is empty. That the first page replaces all is the
// simpler rule, and right as well, if the others are asked for again.
type Snapshot struct {
	Channel string
	// Seq is the number of the frame that led to this state.
	Seq uint64
	// After is where the page begins.
	After string
	// Members are in the order of their keys.
	Members []*Member
	// Count is how many members the room has, all pages together.
	Count int
	// Next asks for the next page; empty: this is the last one.
	Next string
	// Self is the member for whom the snapshot was made, while the room has not
	// been told of it; it is neither in Members nor in Count then. A diff follows
	// that announces it to all, itself included. See [Snapshot.WithSelf].
	Self *Member
	// Partial reports that the store cannot be reached, and members of other nodes
	// may be missing or gone.
	Partial bool
}

// Diff is a change of a room. No member is in it twice; all parts are in the
// order of the keys.
type Diff struct {
	Channel string
	// Seq is one more than that of the frame before.
	Seq                    uint64
	Entered, Updated, Left []*Member
	// Count is how many members the room has now.
	Count int
	// Partial is as in [Snapshot]. A diff may change nothing but this.
	Partial bool
}

func (*Snapshot) frame() {}
func (*Diff) frame()     {}

// WithSelf returns the snapshot with Self among the members and counted, if there
// is one: as its own client expects to see it.
func (s *Snapshot) WithSelf() *Snapshot {
	if s.Self == nil {
		return s
	}
	with := *s
	i, _ := slices.BinarySearchFunc(s.Members, s.Self.Key, func(m *Member, key string) int {
		return strings.Compare(m.Key, key)
	})
	with.Members = slices.Insert(slices.Clone(s.Members), i, s.Self)
	with.Count, with.Self = s.Count+1, nil
	return &with
}
