package access

import (
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
	if sink.Post, err = postTo(ctx, askapp.Options{Option: "notify", Base: path, Name: "notify", Routes: c.Routes}); err != nil {
		return sink, bounds, err
	}
	for i, text := range c.Secrets {
		if block.InTheClear(text) {
			ctx.Slogger().Warn("a secret of 'notify' stands in the configuration itself, where others may read it; use a placeholder such as {env.NAME}", "secret", i+1)
		}
	}
	return sink, bounds, nil
}
