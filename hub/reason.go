package hub

// Reason says why a connection ended. Code is the close code of the protocol's
// table, Text its public explanation, which a client may show.
type Reason struct {
	Code uint16
	Text string
}

// The reasons for which the hub itself ends a connection. The codes are those of
// the WebSocket registry (RFC 6455, section 7.4.1, and its IANA registry) where
// one fits; 4000-4499 tell the client not to come back as it is, 4500-4999 to
// reconnect.
var (
	ReasonNormal   = Reason{1000, "closed"}
	ReasonGone     = Reason{1001, "server is shutting down"}
	ReasonLost     = Reason{1006, "connection lost"}
	ReasonRestart  = Reason{1012, "server is restarting"}
	ReasonSlow     = Reason{4500, "too slow: messages were not read in time"}
	ReasonSilent   = Reason{4501, "no sign of life within the heartbeat timeout"}
	ReasonReplaced = Reason{4502, "the hub of this connection is gone"}
)
