package api

import (
	"strings"
	"testing"
	"testing/synctest"
)

// Only a request without a user and without the header Authorization is told how an API key is sent. The text is the same
// for channels that are there and those that are not.
func TestRejectionWithoutKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := plainSite(t)
		for _, path := range []string{"/channels/kept:1/messages", "/channels/nowhere/messages", "/revocations"} {
			w := s.post(nobody, path, `{"content":1,"user":"ann"}`)
			if (w.Code != 401 && w.Code != 403) || !strings.Contains(w.Body.String(), keyHint) {
				t.Errorf("%s without a key: %d %s", path, w.Code, w.Body)
			}
			if w := s.post(ann, path, `{"content":1,"user":"ann"}`); strings.Contains(w.Body.String(), "API key came") {
				t.Errorf("%s as a user: %d %s", path, w.Code, w.Body)
			}
		}
	})
}
