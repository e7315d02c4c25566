package socketio

import (
	"context"
	"time"

	"github.com/caddy-realtime/caddy-realtime/session"
)

// An emitter that tells clients something and then disconnects them, wants them to read it first. The node that leads
// keeps the order of frames. What frames have become goes to the clients by their rooms, so
// what concerns clients waits until these rooms have handed it over.

const (
	// maxFenced is how many rooms are waited for. An emitter that has published in more of them before,
	// may be overtaken in the others.
	maxFenced = 1000
	// fenceTime is how long all of them are waited for.
	fenceTime = time.Second
)

// notePublished notes rooms in which a frame is published.
func (e *Emitter) notePublished(rooms []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, room := range rooms {
		if len(e.published) < maxFenced {
			e.published[room] = true
		}
	}
}

// behind returns what does something about clients behind what frames before have published.
func (e *Emitter) behind(r *session.Registry, do func()) func(context.Context) {
	e.mu.Lock()
	rooms := e.published
	e.published = make(map[string]bool)
	e.mu.Unlock()
	return func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, fenceTime)
		defer cancel()
		for room := range rooms {
			if r.Hub().Fence(ctx, room) != nil {
				break
			}
		}
		do()
	}
}
