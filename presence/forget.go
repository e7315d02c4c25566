package presence

import "context"

// Forgetter is an optional interface of a [Store]: to forget members that have left.
type Forgetter interface {
	// Forget forgets a member in all rooms that remember it, and returns how many these
	// were. Rooms where the member is present keep it. No events follow, because the
	// member left before. With an error, it may have been forgotten in some rooms.
	Forget(ctx context.Context, key string) (rooms int, err error)
}

// Forget makes the store forget a member that has left, in all rooms. A store that remembers
// nobody need not be a [Forgetter].
func (t *Tracker) Forget(ctx context.Context, key string) (rooms int, err error) {
	f, ok := t.store.(Forgetter)
	if !ok {
		return 0, nil
	}
	return f.Forget(ctx, key)
}
