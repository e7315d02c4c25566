package policy

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/internal/lane"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// briefSteps is how far a content is compared with a schema at once.
const briefSteps = maxSteps / 50

// inLane makes a check when it is its turn. The check must not begin another one.
func inLane(check func() *protocol.Error) (e *protocol.Error) {
	_ = lane.Run(context.Background(), func() { e = check() }) // it fails only when its context ends
	return e
}
