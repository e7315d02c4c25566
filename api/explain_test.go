package api

import (
	"net/http"
	"testing"
)

// A pattern and a channel are explained by parameters of their own.
func TestExplainParameters(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	for query, rule := range map[string]string{"channel=kept:1": "allowed", "pattern=kept:*": "access", "pattern=nowhere:*": "no_room"} {
		x := decode[struct{ Rule, Pattern, Channel string }](t, s.do(app, http.MethodGet, "/explain?"+query, ""), http.StatusOK)
		if x.Rule != rule || query != "pattern="+x.Pattern && query != "channel="+x.Channel {
			t.Errorf("%s: %+v", query, x)
		}
	}
	for _, query := range []string{
		"", "channel=kept:1&pattern=kept:*", "channel=kept:*", "pattern=kept:1", "pattern=kept:*&action=publish", "channel=kept:1&user=a&token=b",
	} {
		rejected(t, s.do(app, http.MethodGet, "/explain?"+query, ""), http.StatusBadRequest, "INVALID_MESSAGE")
	}
}
