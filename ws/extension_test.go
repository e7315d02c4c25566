package ws

import (
	"net/http"
	"testing"
)

func TestDeflateOffers(t *testing.T) {
	t.Parallel()
	const plain, sized = extensionAnswer, extensionAnswer + "; server_max_window_bits=15"
	for _, c := range []struct {
		offers []string
		want   string // empty: declined
	}{
		{[]string{"permessage-deflate"}, plain},
		{[]string{"permessage-deflate; client_max_window_bits"}, plain}, // browsers
		{[]string{"permessage-deflate;client_max_window_bits=8 ; server_no_context_takeover"}, plain},
		{[]string{"permessage-deflate; client_no_context_takeover; server_no_context_takeover"}, plain},
		{[]string{"permessage-deflate; server_max_window_bits=15"}, sized},
		{[]string{`permessage-deflate; server_max_window_bits="15"`}, sized},
		{[]string{"permessage-deflate; server_max_window_bits=10, permessage-deflate"}, plain},
		{[]string{"x-webkit-deflate-frame", "permessage-deflate; x=1, permessage-deflate"}, plain},
		{nil, ""},
		{[]string{""}, ""},
		{[]string{"permessage-bzip2"}, ""},
		{[]string{"permessage-deflate; server_max_window_bits=14"}, ""},
		{[]string{"permessage-deflate; server_max_window_bits=8"}, ""},
		{[]string{"permessage-deflate; server_max_window_bits"}, ""},
		{[]string{"permessage-deflate; server_max_window_bits=16"}, ""},
		{[]string{"permessage-deflate; server_max_window_bits=015"}, ""},
		{[]string{"permessage-deflate; client_max_window_bits=7"}, ""},
		{[]string{"permessage-deflate; client_max_window_bits=16"}, ""},
		{[]string{"permessage-deflate; client_max_window_bits=1x"}, ""},
		{[]string{"permessage-deflate; client_max_window_bits="}, ""},
		{[]string{"permessage-deflate; server_no_context_takeover=1"}, ""},
		{[]string{"permessage-deflate; client_no_context_takeover; client_no_context_takeover"}, ""},
		{[]string{"permessage-deflate; unknown"}, ""},
		{[]string{"permessage-deflate;"}, ""},
	} {
		h := make(http.Header)
		ok := chooseDeflate(h, &http.Request{Header: http.Header{extensionHeader: c.offers}})
		if got := h.Get(extensionHeader); got != c.want || ok != (c.want != "") {
			t.Errorf("%q: %v %q, want %q", c.offers, ok, got, c.want)
		}
	}
}
