package ws

import (
	"net/http"
	"testing"
)

// TestForeignVersion checks that only the name of another version is one, and only if the client
// does not offer the version that is spoken here.
func TestForeignVersion(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		offers    []string
		foreign   string
		confirmed string
	}{
		{nil, "", ""},
		{[]string{"realtime.v1"}, "", "realtime.v1"},
		{[]string{"realtime.v2"}, "realtime.v2", "realtime.v2"},
		{[]string{"graphql-ws, realtime.v3", "realtime.v2"}, "realtime.v3", "realtime.v3"},
		{[]string{"realtime.v2, realtime.v1"}, "", "realtime.v1"},
		{[]string{"realtime.v2", "realtime.token.x"}, "realtime.v2", "realtime.v2"},
		{[]string{"realtime.vx", "realtime.v", "realtime.v-1", "realtime.v99999", "mqtt"}, "", ""},
	} {
		h, r := make(http.Header), &http.Request{Header: http.Header{"Sec-Websocket-Protocol": test.offers}}
		chooseSubprotocol(h, r)
		if f, c := ForeignVersion(r), h.Get("Sec-Websocket-Protocol"); f != test.foreign || c != test.confirmed {
			t.Errorf("%q: the foreign version is %q, %q is confirmed", test.offers, f, c)
		}
	}
}
