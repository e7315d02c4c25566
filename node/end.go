package node

import (
	"errors"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// Destruct ends the hub, when no configuration has it any more. While the process lives
// on, it does not wait: a client that does not read must not hold up a reload.
func (n *Node) Destruct() error {
	n.leaving.Store(true)
	if !n.markEnded() {
		return nil
	}
	if n.exiting() {
		return n.end()
	}
	n.hub.CloseConns(hub.ReasonReplaced)
	log := n.hub.Settings().Logger
	go func() {
		defer guard.Recover(log, "the end of a hub")
		if err := n.end(); err != nil {
			log.Error("ending a hub", "error", err)
		}
	}()
	return nil
}

// markEnded marks the node as ended, and reports whether it has a hub to end. From then on
// the hub, the members, the documents and the backend are static, so that they are closed
// without the lock: closing them waits for connections and for Redis.
func (n *Node) markEnded() (started bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ended = true
	if n.drain != nil {
		n.drain.cancel()
	}
	return n.hub != nil
}

// end closes the parts of a node that is marked as ended. It waits for the connections,
// which leave their rooms, before it closes the presence and the documents of the rooms.
func (n *Node) end() error {
	return errors.Join(
		n.endPart(n.endIntake), n.endPart(n.hub.Close), n.endPart(n.members.Close), n.endPart(n.documents.Close),
		n.endPart(n.events.Close), n.endPart(n.backend.close),
	)
}

// errPanicked is the error of a part whose end panicked. The panic was logged.
var errPanicked = errors.New("internal error")

// endPart closes a part of the node. A panic of the part does not keep the next one open.
func (n *Node) endPart(closePart func() error) error {
	err := errPanicked
	guard.Run(n.hub.Settings().Logger, "the end of a hub", func() { err = closePart() })
	return err
}
