package node

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"

	"github.com/caddy-realtime/caddy-realtime/backend/redis"
	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// intake is what a node takes from other programs.
type intake struct {
	now atomic.Pointer[Intake] // in force; nil: nothing

	// Guarded by node.mu until the node ends, owned by its end afterwards.
	from    *Intake       // the channels of the latest change
	changed chan struct{} // closed when the latest change is done; nil: there was none

	redis *redis.Intake // owned by the change that runs; nil: nothing is taken
}

// applyIntake takes from other programs what the settings in force say. New rules for the same channels
// take the place of the old ones without a break. Needs mu.
func (n *Node) applyIntake(s *Settings) {
	want, from := s.Intake, n.intake.from
	n.intake.now.Store(want)
	if want == nil && from == nil || want != nil && from != nil && slices.Equal(want.Channels, from.Channels) && slices.Equal(want.Patterns, from.Patterns) {
		return
	}
	n.changeIntake(want, s.Hub.Logger)
}

// changeIntake changes the channels, when all changes before are done. It does not wait, because to
// end what is taken waits for what is just being published.
func (n *Node) changeIntake(want *Intake, log *slog.Logger) {
	before, done := n.intake.changed, make(chan struct{})
	n.intake.from, n.intake.changed = want, done
	go func() {
		defer guard.Recover(log, "the change of what is taken from other programs")
		defer close(done)
		if before != nil {
			<-before
		}
		if old := n.intake.redis; old != nil {
			n.intake.redis = nil
			old.Close()
		}
		if want == nil || n.backend.redis == nil {
			return
		}
		var err error
		n.intake.redis, err = n.backend.redis.Intake(redis.IntakeOptions{Channels: want.Channels, Patterns: want.Patterns, Take: n.takeIn})
		if err != nil { // the configuration was checked
			log.Error("nothing is taken from other programs", "error", err)
		}
	}()
}

// takeIn hands a frame to the rules in force.
func (n *Node) takeIn(channel, payload string) (here, all func(context.Context)) {
	now, r := n.intake.now.Load(), n.registry.Load()
	if now == nil || r == nil {
		return nil, nil
	}
	return now.Take(r, channel, payload)
}

// endIntake ends what is taken from other programs, and waits for that.
func (n *Node) endIntake() error {
	if n.intake.now.Store(nil); n.intake.changed == nil {
		return nil
	}
	n.changeIntake(nil, n.hub.Settings().Logger)
	<-n.intake.changed
	return nil
}
