package presence

import (
	"slices"
	"strings"
)

// Frame is what is announced to a room: a [*Diff], or a [*Snapshot] in place of a diff that
// would name too many members. Frames are shared and do not change.
type Frame interface{ frame() }

// Snapshot is the state of a room, or a page of it. It replaces what a watcher had in the
// range of keys that it covers: from After (not included) to the last of Members, or to
// the end if Next is empty. A watcher may also replace everything with the first page and
// ask for the other pages again, which is simpler.
type Snapshot struct {
	Channel string
	// Seq is the number of the frame that led to this state.
	Seq uint64
	// After is the key after which the page starts.
	After string
	// Members are in the order of their keys.
	Members []*Member
	// Count is the number of members of the room, on all pages.
	Count int
	// Next is the After of the next page; empty on the last page.
	Next string
	// Self is the member of the connection that gets the snapshot, until it is announced
	// to the room. It is neither in Members nor in Count then. A diff follows that
	// announces it to all, itself included. See [Snapshot.WithSelf].
	Self *Member
	// Partial reports that the store cannot be reached. Members of other nodes may be
	// missing, or may have left.
	Partial bool
}

// Diff is a change of a room. It has no member twice. All parts are in the order of the
// keys.
type Diff struct {
	Channel string
	// Seq is one more than the Seq of the frame before.
	Seq                    uint64
	Entered, Updated, Left []*Member
	// Renewed are those of Updated that show another info, for protocols without a status.
	Renewed []*Member
	// Count is the number of members of the room after the change.
	Count int
	// Partial is as in [Snapshot]. A diff may change nothing but this.
	Partial bool

	apart map[string]*Member // by connection, see [Who.Apart]
}

// For returns the diff without the own member of a connection that is not told of it; nil for
// all other connections.
func (d *Diff) For(connection string) *Diff {
	own := d.apart[connection]
	if own == nil {
		return nil
	}
	without := *d
	without.apart = nil
	itself := func(m *Member) bool { return m == own }
	without.Entered = slices.DeleteFunc(slices.Clone(d.Entered), itself)
	without.Renewed = slices.DeleteFunc(slices.Clone(d.Renewed), itself)
	return &without
}

func (*Snapshot) frame() {}
func (*Diff) frame()     {}

// WithSelf returns the snapshot with Self, if set, among the members and counted. The
// client of Self expects to see it so.
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
