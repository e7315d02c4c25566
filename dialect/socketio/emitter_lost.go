package socketio

import (
	"slices"

	"github.com/caddy-realtime/caddy-realtime/session"
)

// An emitter may mean a client whose connection is lost, and which may recover. What the emitter says of
// it can not be done: so the client can not recover any more, and starts anew. To keep it for the client
// would need a list for each record.

// hadLost reports whether a lost connection with these rooms belonged to the audience.
func (a *audience) hadLost(id string, rooms []string) bool {
	named := func(name string) bool { return name == id || slices.Contains(rooms, name) }
	return (slices.ContainsFunc(a.ids, named) || slices.ContainsFunc(a.rooms, named)) && !slices.ContainsFunc(a.except, named)
}

// candidates are the ids of the connections that may belong to the audience; nil: any.
func (a *audience) candidates() []string {
	if len(a.rooms) > 0 {
		return nil
	}
	return a.ids
}

// voidMissed voids what clients could recover that an event is for by their ids. What goes into rooms, they
// get from the history.
func (a *audience) voidMissed(r *session.Registry) {
	r.VoidTickets(a.ids, func(id string, rooms []string) bool {
		is := func(room string) bool { return slices.Contains(rooms, room) }
		return a.hadLost(id, rooms) && !slices.ContainsFunc(a.rooms, is) && (is(a.all) || !r.Opens(a.all))
	})
}

// voidChanged voids what clients could recover that join one of some rooms or leave one of others. One look at a record is
// for all rooms that a request names.
func (a *audience) voidChanged(r *session.Registry, join, leave []string) {
	if len(join)+len(leave) == 0 {
		return
	}
	r.VoidTickets(a.candidates(), func(id string, rooms []string) bool {
		is := func(room string) bool { return slices.Contains(rooms, room) }
		isNot := func(room string) bool { return !is(room) }
		return a.hadLost(id, rooms) && (slices.ContainsFunc(join, isNot) || slices.ContainsFunc(leave, is))
	})
}

// voidAll voids what clients could recover that are disconnected.
func (a *audience) voidAll(r *session.Registry) { r.VoidTickets(a.candidates(), a.hadLost) }
