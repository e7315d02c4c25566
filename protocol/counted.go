package protocol

// Subscriptions is how many subscriptions a channel has on all nodes. Dialects that have such an event
// send it to their clients; the native protocol has none.
type Subscriptions struct {
	Channel string
	Count   int
}
