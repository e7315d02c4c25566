package client

// SocketIO is Socket.IO on a WebSocket: a client connects to the namespace and joins its room by the
// rooms profile. The app publishes by the HTTP API of this project.
var SocketIO = Dialect{
	WebSocket:  "/socket.io/?EIO=4&transport=websocket",
	Publish:    Native.Publish,
	Header:     Native.Header,
	Begin:      "40",
	Ping:       "2",
	Pong:       "3",
	Subscribe:  `420["join","{room}"]`,
	Subscribed: `430[{"ok":true`,
}
