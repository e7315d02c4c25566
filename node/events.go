package node

import "github.com/caddy-realtime/caddy-realtime/notify"

// applySinks puts in force which events go where. Connections and rooms are watched only while
// their events are chosen. Needs mu.
func (n *Node) applySinks(s *Settings) {
	registry, outbox := n.registry.Load(), n.backend.outbox
	choice := n.events.Apply(s.Sinks, s.Buffer, s.Hub.Logger)
	if choice.Any(notify.Connected, notify.Disconnected) {
		registry.WatchConnections(outbox)
	} else {
		registry.WatchConnections(nil)
	}
	if choice.Any(notify.Occupied, notify.Vacated) {
		n.hub.WatchOccupancy(outbox)
	} else {
		n.hub.WatchOccupancy(nil)
	}
}

// EventStats returns the figures of each sink of events.
func (n *Node) EventStats() []notify.Stats {
	n.mu.Lock()
	events := n.events
	n.mu.Unlock()
	if events == nil {
		return nil
	}
	return events.Stats()
}
