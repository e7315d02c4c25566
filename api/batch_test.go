package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestBatch(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	w := s.post(ann, "/publish", `[
		{"channels": ["kept:1", "other:1", "a*", "slow:1"], "content": "first", "event": "tick", "key": "k"},
		{"channels": ["kept:1"], "content": "second"},
		{"channels": ["kept:1"], "content": "first", "event": "tick", "id": "k"},
		{"channels": ["kept:1"], "content": "another", "event": "tick", "key": "k"},
		{"channels": ["kept:1"], "content": "first", "event": "tick", "key": "k", "id": "l"},
		{"channels": [], "content": 1},
		{"channels": ["kept:1"]},
		{"channels": ["kept:1"], "content": 1, "x": 1},
		{"channels": "kept:1", "content": 1},
		"kept:1",
		{"channels": ["kept:1"], "content": 1, "content": 2},
		{"channels": ["kept:1"], "channels": ["x"], "content": 1},
		{"channels": ["kept:1"], "content": "third"}
	]`)
	var got []string
	for _, r := range decode[[]batchResult](t, w, http.StatusOK) {
		if r.Error != nil {
			got = append(got, string(r.Error.Code))
			continue
		}
		for _, c := range r.Channels {
			text := c.Channel
			if c.Error != nil {
				text += " " + string(c.Error.Code)
			}
			if c.Offset > 0 {
				text += fmt.Sprintf(" @%d", c.Offset)
			}
			if c.Duplicate {
				text += " duplicate"
			}
			got = append(got, text)
		}
		got = append(got, "-")
	}
	want := "kept:1 @1, other:1 FORBIDDEN, a* INVALID_CHANNEL, slow:1, -, kept:1 @2, -, kept:1 @1 duplicate, -, kept:1 CONFLICT, -, INVALID_MESSAGE, " +
		"INVALID_MESSAGE, INVALID_MESSAGE, INVALID_MESSAGE, INVALID_MESSAGE, INVALID_MESSAGE, INVALID_MESSAGE, INVALID_MESSAGE, kept:1 @3, -"
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if m := s.newest("kept:1"); string(m.Content) != `"third"` {
		t.Errorf("got %s", m.Content)
	}
}

func TestEmptyBatch(t *testing.T) {
	t.Parallel()
	if w := plainSite(t).post(app, "/publish", `[]`); w.Code != http.StatusOK || w.Body.String() != `[]` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestBatchErrors(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	item := `{"channels":["kept:1"],"content":1}`
	many := "[" + strings.Repeat(item+",", maxItems) + item + "]"
	wide := `[{"content":1,"channels":["x"` + strings.Repeat(`,"x"`, maxItems) + `]}]`
	rejected(t, s.post(app, "/publish", `{}`), 400, "INVALID_MESSAGE")
	rejected(t, s.post(app, "/publish", `null`), 400, "INVALID_MESSAGE")
	rejected(t, s.post(app, "/publish", `[`), 400, "INVALID_JSON")
	rejected(t, s.post(app, "/publish", many), 413, "TOO_LARGE")
	rejected(t, s.post(app, "/publish", `[]`, "Idempotency-Key", "k"), 400, "INVALID_MESSAGE")
	rejected(t, s.do(app, http.MethodPost, "/publish", `[]`, "Content-Type", "text/plain"), 415, "")
	rejected(t, s.do(app, http.MethodPost, "/publish", `[]`, "Content-Type", "multipart/mixed"), 415, "")
	rejected(t, s.post(ann, "/publish", strings.Repeat(" ", minBatch)+"[]"), 413, "TOO_LARGE")
	results := decode[[]batchResult](t, s.post(app, "/publish", wide), http.StatusOK)
	if e := results[0].Error; e == nil || e.Code != "TOO_LARGE" {
		t.Errorf("got %+v", results)
	}
}
