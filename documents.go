package realtime

import (
	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// openDocuments makes the documents of a hub, whose rooms are told of each change.
func openDocuments(h *hub.Hub) (*document.Service, error) {
	return document.New(
		func(sink document.Sink) (document.Store, error) { return memory.NewDocumentStore(sink), nil },
		func(n document.News) { h.Announce(n.Channel, session.DocumentEvent(n)) },
	)
}
