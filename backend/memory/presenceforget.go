package memory

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/presence"
)

// Forget implements [presence.Forgetter].
func (s *PresenceStore) Forget(ctx context.Context, key string) (rooms int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if s.closed.Load() {
		return 0, presence.ErrClosed
	}
	s.table.rooms.each(func(r *presenceRoom) {
		if r.gone.times[key] != nil {
			r.gone.remove(key)
			r.arm()
			r.notify(nil)
			rooms++
		}
	})
	return rooms, nil
}

var _ presence.Forgetter = (*PresenceStore)(nil)
