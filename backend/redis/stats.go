package redis

// Stats are figures for an operator, since the client was opened.
type Stats struct {
	// Connected tells whether the subscribed connection stands, that of every shard.
	Connected bool
	// Channels is how many channels it is subscribed to or about to be.
	Channels int
	// Connections counts how often it was established, and Silent how often it was
	// given up because it brought nothing any more.
	Connections, Silent uint64
	// Repairs counts holes that were found, Repaired the messages that filled them,
	// Lost the holes that could not be filled, Renewed the logs that had gone back in
	// time.
	Repairs, Repaired, Lost, Renewed uint64
}

// add adds the figures of another shard.
func (s *Stats) add(o Stats) {
	s.Connected = s.Connected && o.Connected
	s.Channels += o.Channels
	s.Connections += o.Connections
	s.Silent += o.Silent
	s.Repairs += o.Repairs
	s.Repaired += o.Repaired
	s.Lost += o.Lost
	s.Renewed += o.Renewed
}
