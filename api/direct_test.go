package api

import (
	"net/http"
	"testing"
	"testing/synctest"
)

// A message to one member: alone and in a list, and what is wrong with it.
func TestPublishToOneMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := plainSite(t)
		populate(t, s)
		const path = "/channels/kept:1/messages"
		if w := s.post(ann, path, `{"content":1,"to":{"user":"bob"},"key":"k"}`); w.Code != http.StatusOK || w.Body.String() != "{}" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if w := s.post(ann, path, `{"content":1,"to":{"user":"bob"},"key":"k"}`); w.Body.String() != `{"duplicate":true}` {
			t.Errorf("again: %s", w.Body)
		}
		if m := decode[published](t, s.post(ann, path, `{"content":1,"key":"k"}`), http.StatusOK); m.Offset != 1 || m.Duplicate {
			t.Errorf("to all, with the same key: %+v", m)
		}
		rejected(t, s.post(ann, path, `{"content":1,"to":{"user":"nobody"}}`), http.StatusConflict, "NOT_PRESENT")
		rejected(t, s.post(app, path, `{"content":1,"to":{"user":"cleo"}}`), http.StatusConflict, "NOT_PRESENT")
		rejected(t, s.post(ann, "/channels/slow:1/messages", `{"content":1,"to":{"user":"bob"}}`), http.StatusForbidden, "FORBIDDEN")
		rejected(t, s.post(nobody, path, `{"content":1,"to":{"user":"bob"}}`), http.StatusUnauthorized, "UNAUTHORIZED")
		for _, to := range []string{`"bob"`, `null`, `{}`, `[]`, `{"user":1}`, `{"user":"bob","x":1}`} {
			rejected(t, s.post(ann, path, `{"content":1,"to":`+to+`}`), http.StatusBadRequest, "INVALID_MESSAGE")
		}
		results := decode[[]batchResult](t, s.post(ann, "/publish", `[
			{"channels": ["kept:1", "kept:2"], "content": 1, "to": {"user": "bob"}},
			{"channels": ["kept:1"], "content": 1, "to": "bob"}
		]`), http.StatusOK)
		if r := results[0].Channels; len(r) != 2 || r[0].Error != nil || r[0].Offset != 0 || r[1].Error == nil || r[1].Error.Code != "NOT_PRESENT" {
			t.Errorf("the first item: %+v", r)
		}
		if r := results[1].Error; r == nil || r.Code != "INVALID_MESSAGE" {
			t.Errorf("the second item: %+v", results[1])
		}
	})
}
