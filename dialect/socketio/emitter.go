package socketio

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// Emitter takes what programs publish in Redis for servers of Socket.IO. Events for rooms become messages,
// which one node publishes for all. Events for one client, and what changes clients, each node does with
// its own.
type Emitter struct {
	// Static.
	server *Server
	log    *slog.Logger

	mu         sync.Mutex           // a leaf
	complained map[string]time.Time // by reason, at most maxComplaints
	published  map[string]bool      // the rooms of frames since the last one about clients, at most maxFenced
}

// NewEmitter returns what takes events for the clients of a server.
func NewEmitter(s *Server, log *slog.Logger) *Emitter {
	return &Emitter{server: s, log: log, complained: make(map[string]time.Time), published: make(map[string]bool)}
}

// Channels are the channels of Redis in which emitters publish, and Patterns those of channels.
func (e *Emitter) Channels() []string {
	all := []string{pythonChannel}
	for _, n := range e.server.Namespaces {
		all = append(all, requestChannel+n.Name+"#")
	}
	return all
}

// Patterns are the patterns of the other channels.
func (*Emitter) Patterns() []string { return []string{emittedPattern} }

// emittedSpace is by how much a frame may be larger than a message: names of rooms, and the like.
const emittedSpace = 64 << 10

// Take takes what was published in a channel. It returns what each node has to do with its clients, and what
// one node has to do for all. It is called in the order of the frames.
func (e *Emitter) Take(r *session.Registry, channel, payload string) (here, all func(context.Context)) {
	if len(payload) > r.MessageSize()+emittedSpace {
		e.complain("it is larger than message_size", channel)
		return nil, nil
	}
	var ev *emitted
	var q *request
	var err error
	switch channel {
	case pythonChannel:
		ev, q, err = parsePython([]byte(payload))
	default:
		if strings.HasPrefix(channel, requestChannel) {
			q, err = parseRequest(namespaceOf(channel), []byte(payload))
		} else {
			ev, err = parseEmitted([]byte(payload))
		}
	}
	switch {
	case err != nil:
		e.complain(err.Error(), channel)
	case q != nil:
		return e.request(r, q, channel), nil
	case ev != nil:
		return e.emit(r, ev, channel)
	}
	return nil, nil
}

// maxComplaints bounds the reasons that are logged within a minute: a reason may quote the frame.
const maxComplaints = 50

// complain logs why a frame is rejected, at most once a minute for each reason.
func (e *Emitter) complain(why, channel string) {
	if e.isNew(why) {
		e.log.Warn("what an emitter of Socket.IO has published is rejected; further ones with this reason are not logged for a minute", "channel", protocol.Printable(channel, maxLoggedChannel), "reason", why)
	}
}

// maxLoggedChannel is how many bytes of a channel are logged. Anybody may publish in one with a longer name.
const maxLoggedChannel = 200

// isNew reports whether a reason was not logged in the last minute, and notes it.
func (e *Emitter) isNew(why string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if time.Since(e.complained[why]) < time.Minute {
		return false
	}
	maps.DeleteFunc(e.complained, func(_ string, at time.Time) bool { return time.Since(at) >= time.Minute })
	if len(e.complained) >= maxComplaints {
		return false
	}
	e.complained[why] = time.Now()
	return true
}

// audience is a selection in terms of the hub.
type audience struct {
	all    string   // the room of all clients
	rooms  []string // channels
	ids    []string // connections
	except []string // both
}

// audience resolves the rooms of a selection. The id of a socket is a room that has only this socket.
func (e *Emitter) audience(s *selection) (a audience, err *protocol.Error) {
	if e.server.namespace(s.namespace) == nil {
		return a, noNamespace
	}
	a.all = e.server.broadcastRoom(s.namespace)
	for _, name := range s.except {
		if !isConnection(name) {
			if name, err = e.server.room(s.namespace, name); err != nil {
				return a, err
			}
		}
		a.except = append(a.except, name)
	}
	for _, name := range s.rooms {
		if isConnection(name) {
			a.ids = append(a.ids, name)
			continue
		}
		room, err := e.server.room(s.namespace, name)
		if err != nil {
			return a, err
		}
		if !slices.Contains(a.rooms, room) {
			a.rooms = append(a.rooms, room)
		}
	}
	if len(s.rooms) == 0 {
		a.rooms = []string{a.all}
	}
	return a, nil
}

// isExcept reports whether the audience leaves a connection out.
func (a *audience) isExcept(c *hub.Conn) bool {
	return slices.ContainsFunc(a.except, func(name string) bool { return name == c.ID() || c.In(name) })
}

// has reports whether a connection belongs to the audience.
func (a *audience) has(c *hub.Conn) bool {
	return (slices.Contains(a.ids, c.ID()) || slices.ContainsFunc(a.rooms, c.In)) && !a.isExcept(c)
}

// emit returns what sends an event to the clients of this node that it names, and what publishes it in rooms.
func (e *Emitter) emit(r *session.Registry, ev *emitted, channel string) (here, all func(context.Context)) {
	a, bad := e.audience(&ev.selection)
	if bad != nil {
		e.complain(bad.Error(), channel)
		return nil, nil
	}
	if len(a.ids) > 0 {
		here = e.behind(r, func() { a.send(r, ev) })
	}
	if len(a.rooms) > 0 {
		e.notePublished(a.rooms)
		all = func(ctx context.Context) { e.publish(ctx, r, ev, a, channel) }
	}
	return here, all
}

// send sends an event to the clients of this node that it names.
func (a *audience) send(r *session.Registry, ev *emitted) {
	for _, id := range a.ids {
		if c, here := r.Conn(id); here && !slices.ContainsFunc(a.rooms, c.In) && !a.isExcept(c) && (c.In(a.all) || !r.Opens(a.all)) {
			text, data := extract([]byte(packetOf(ev.namespace, ev.event, ev.args...)))
			c.Send(parts(binaryPacket(text, data)))
		}
	}
	if !ev.volatile {
		a.voidMissed(r)
	}
}

// publish publishes an event in its rooms. Each client gets it once: the message in a room leaves out
// the clients of the rooms before.
func (e *Emitter) publish(ctx context.Context, r *session.Registry, ev *emitted, a audience, channel string) {
	except := slices.Clone(a.except)
	for _, room := range a.rooms {
		// ExceptAny also for a single client: then it does not get the message from the history either.
		q := protocol.Publish{Channel: room, Event: ev.event, Volatile: ev.volatile, Except: hub.ExceptAny(except)}
		q.Content, q.Tags = contentOf(ev.args, ev.binary)
		if _, bad := r.Publishing.Publish(ctx, session.Caller{App: true}, q); bad != nil {
			e.complain(bad.Error(), channel)
		}
		except = append(except, room)
	}
}

// request returns what does to the clients of this node what a request says.
func (e *Emitter) request(r *session.Registry, q *request, channel string) func(context.Context) {
	a, bad := e.audience(&q.selection)
	if bad != nil {
		e.complain(bad.Error(), channel)
		return nil
	}
	if q.disconnect {
		return e.behind(r, func() { a.disconnect(r) })
	}
	return e.behind(r, func() { e.change(r, q, a, channel) })
}

func (a *audience) disconnect(r *session.Registry) {
	for _, s := range r.Here("socketio", a.has) {
		s.Conn().Close(protocol.ReasonForbidden)
	}
	a.voidAll(r)
}

// change has the clients of this node join rooms, and leave others.
func (e *Emitter) change(r *session.Registry, q *request, a audience, channel string) {
	found := r.Here("socketio", a.has)
	join, leave := e.roomsOf(q.namespace, q.join, channel), e.roomsOf(q.namespace, q.leave, channel)
	for _, room := range join {
		r.Enrollment.Here(found, room, false)
	}
	for _, room := range leave {
		r.Enrollment.Here(found, room, true)
	}
	a.voidChanged(r, join, leave)
}

// roomsOf returns the rooms of some names, without those that no client can be in.
func (e *Emitter) roomsOf(namespace string, all names, channel string) (rooms []string) {
	for _, name := range all {
		room, bad := e.server.room(namespace, name)
		if bad != nil {
			e.complain(bad.Error(), channel)
			continue
		}
		rooms = append(rooms, room)
	}
	return rooms
}
