package access

import (
	"context"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/internal/askapp"
)

// NewWebhooks returns the Post of a sink that sends webhooks of Pusher's protocol to the routes of a
// block. path is that of the route. It belongs to the configuration.
func NewWebhooks(ctx caddy.Context, path string, c *config.PusherWebhooks) (func(context.Context, http.Header, []byte) (int, error), error) {
	return postTo(ctx, askapp.Options{Option: "webhooks", Base: path, Name: "webhooks", Routes: c.Routes})
}

// postTo returns the Post of a sink that sends events to routes.
func postTo(ctx caddy.Context, o askapp.Options) (func(context.Context, http.Header, []byte) (int, error), error) {
	o.MaxAnswer, o.Unanswered = maxNotifyAnswer, http.StatusNotFound
	app, err := askapp.New(ctx, o)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, h http.Header, body []byte) (int, error) {
		said, err := app.Ask(ctx, askapp.Request{Method: http.MethodPost, Header: h, Body: body})
		if err == nil && said.Status/100 == 5 && said.Err != nil {
			err = fmt.Errorf("status %d: %w", said.Status, said.Err)
		}
		return said.Status, err
	}, nil
}
