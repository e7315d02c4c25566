package realtime

import (
	"log/slog"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// openDocuments makes the documents of a hub, whose rooms are told of each change.
func openDocuments(h *hub.Hub, b *backend, log *slog.Logger) (*document.Service, error) {
	s, err := document.New(
		b.documents,
		func(n document.News) { h.Announce(n.Channel, session.DocumentEvent(n)) },
	)
	if err != nil {
		return nil, err
	}
	return s.WithLogger(log), nil
}
