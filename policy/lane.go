package policy

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/internal/lane"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// briefSteps is how many steps a comparison may take before it has to wait for its turn.
const briefSteps = maxSteps / 50

// inLane waits for a turn and calls check. check must not call inLane.
func inLane(check func() *protocol.Error) (e *protocol.Error) {
	_ = lane.Run(context.Background(), func() { e = check() }) // it fails only when its context ends
	return e
}
