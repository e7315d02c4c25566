package access

import (
	"log/slog"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// NewTurn returns what makes credentials by a block; nil without a block.
func NewTurn(c *config.Turn, log *slog.Logger) (*auth.TURN, error) {
	if c == nil {
		return nil, nil
	}
	t, err := c.Compile()
	if err == nil && block.InTheClear(c.Secret) {
		log.Warn("the secret of 'turn' stands in the configuration itself, where others may read it; use a placeholder such as {env.NAME}")
	}
	return t, err
}
