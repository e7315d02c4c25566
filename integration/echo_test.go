package integration

import "testing"

// TestEchoClients drives Laravel Echo with both of its broadcasters that speak Pusher's protocol.
func TestEchoClients(t *testing.T) {
	t.Setenv("REALTIME_TEST_PUSHER", "secret-1")
	c := Start(t, pusherSite)
	playNode(t, script(t, "echo.js", "echo_node.mjs"), []string{"SITE=" + c.Addr("site")}, nil)
}
