package realtime

import (
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// openDocuments makes the documents of a hub, whose rooms are told of each change.
func openDocuments(h *hub.Hub, b *backend) (*document.Service, error) {
	return document.New(
		b.documents,
		func(n document.News) { h.Announce(n.Channel, session.DocumentEvent(n)) },
	)
}
