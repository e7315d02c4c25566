package protocol

// Version is the version of the protocol that this package speaks. The server
// states it in `connected`.
const Version = 1

// The types of envelopes in both directions. A few are words of both sides:
// `message` publishes and delivers, `history` asks and answers.
const (
	TypeAck           = "ack"
	TypeAuthenticate  = "authenticate"
	TypeAuthenticated = "authenticated"
	TypeConnected     = "connected"
	TypeError         = "error"
	TypeGap           = "gap"
	TypeHistory       = "history"
	TypeMessage       = "message"
	TypePing          = "ping"
	TypePong          = "pong"
	TypeReconnect     = "reconnect"
	TypeSubscribe     = "subscribe"
	TypeSubscribed    = "subscribed"
	TypeUnsubscribe   = "unsubscribe"
	TypeUnsubscribed  = "unsubscribed"
)
