package integration

import "testing"

const mixedSite = `
http://{{site}} {
	realtime /rt {
		api_key key-of-the-app-0123456789
		pusher my-app {
			key    key-1
			secret {env.REALTIME_TEST_PUSHER}
			client_events
		}
		room private-room {
			subscribe anyone
			publish anyone
		}
		room io:* {
			subscribe anyone
		}
		socketio {
			rooms
		}
	}
}
`

// TestProtocolsShareARoom has clients of three protocols in one room.
func TestProtocolsShareARoom(t *testing.T) {
	t.Setenv("REALTIME_TEST_PUSHER", "secret-1")
	c := Start(t, mixedSite)
	env := []string{"SITE=" + c.Addr("site"), "CLIENT=socket.io-client", "TRANSPORTS=polling"}
	playNode(t, script(t, "socketio_helpers.mjs", "socketio_mixed.mjs"), env, nil)
}
