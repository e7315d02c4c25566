package access

import (
	"context"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/internal/askapp"
	"github.com/caddy-realtime/caddy-realtime/internal/block"
	"github.com/caddy-realtime/caddy-realtime/notify"
)

// maxNotifyAnswer bounds what is read of the answer to a request of 'notify'. Only its status
// counts.
const maxNotifyAnswer = 4 << 10

// NewNotify returns the sink of a block, which sends events to its routes. path is that of the
// route. The sink belongs to the configuration.
func NewNotify(ctx caddy.Context, path string, c *config.Notify) (notify.Sink, notify.Bounds, error) {
	sink, bounds, err := c.Sink()
	if err != nil {
		return sink, bounds, err
	}
	app, err := askapp.New(ctx, askapp.Options{
		Option: "notify", Base: path, Name: "notify", Routes: c.Routes, MaxAnswer: maxNotifyAnswer, Unanswered: http.StatusNotFound,
	})
	if err != nil {
		return sink, bounds, err
	}
	for i, text := range c.Secrets {
		if block.InTheClear(text) {
			ctx.Slogger().Warn("a secret of 'notify' stands in the configuration itself, where others may read it; use a placeholder such as {env.NAME}", "secret", i+1)
		}
	}
	sink.Post = func(ctx context.Context, h http.Header, body []byte) (int, error) {
		said, err := app.Ask(ctx, askapp.Request{Method: http.MethodPost, Header: h, Body: body})
		if err == nil && said.Status/100 == 5 && said.Err != nil {
			err = fmt.Errorf("status %d: %w", said.Status, said.Err)
		}
		return said.Status, err
	}
	return sink, bounds, nil
}
