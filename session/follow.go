package session

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// following is a subscription to a room with a document, while it is being made. It is nil
// for a room without one.
type following struct {
	documents *Documents
	channel   string
	options   document.Options
	err       error // of the read
}

// follow attaches to a document, so that its changes are announced to the room. It is called
// before the session is in the room: the state that read returns later is then followed by
// every later change.
func (s *Session) follow(ctx context.Context, u *rules, channel string) (*following, *protocol.Error) {
	d, o := &s.registry.Documents, u.document(channel)
	if d.service == nil || o == nil {
		return nil, nil
	}
	s.conn.Yield() // another goroutine may have the turn of the document, and wait
	if err := d.service.Attach(ctx, channel); err != nil {
		return nil, s.registry.rules.documentFailed(err)
	}
	if !s.noteFollowed(channel) {
		d.service.Detach(channel)
	}
	return &following{documents: d, channel: channel, options: *o}, nil
}

// noteFollowed records an attachment. It returns false if the session is over, or has one
// already.
func (s *Session) noteFollowed(channel string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.follows[channel]; there || s.over {
		return false
	}
	if s.follows == nil {
		s.follows = make(map[string]struct{})
	}
	s.follows[channel] = struct{}{}
	return true
}

// read returns the document for a new subscriber, which is in the room already.
func (f *following) read(ctx context.Context) *protocol.DocumentState {
	if f == nil {
		return nil
	}
	var snap document.Snapshot
	if snap, f.err = f.documents.service.Read(ctx, f.channel, f.options); f.err != nil {
		return nil
	}
	return &protocol.DocumentState{Epoch: snap.Epoch, Version: snap.Version, State: snap.State, Stale: snap.Stale}
}

func (f *following) failed() bool { return f != nil && f.err != nil }

// following reports whether the session follows the document of a channel.
func (s *Session) following(channel string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, there := s.follows[channel]
	return there
}

// unfollow detaches from the document, if the session follows it.
func (s *Session) unfollow(channel string) {
	s.mu.Lock()
	_, there := s.follows[channel]
	delete(s.follows, channel)
	s.mu.Unlock()
	if there {
		s.registry.Documents.service.Detach(channel)
	}
}

// unfollowAll detaches a session that is over from all documents.
func (s *Session) unfollowAll() {
	s.mu.Lock()
	all := s.follows
	s.follows = nil
	s.mu.Unlock()
	for channel := range all {
		s.registry.Documents.service.Detach(channel)
	}
}
