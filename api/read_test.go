package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

type historyPage struct {
	Channel, Epoch, Anchor string
	Offset                 uint64
	Lost, More             bool
	Messages               []struct {
		Content, Offset int
		Anchor          string
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	for i := range 5 {
		decode[published](t, s.post(app, "/channels/kept:1/messages", fmt.Sprintf(`{"content":%d}`, i+1)), http.StatusOK)
	}
	top := s.newest("kept:1").Position
	tests := []struct {
		query      string
		first, n   int
		lost, more bool
	}{
		{"", 1, 5, false, false},
		{"?limit=2", 4, 2, false, false},
		{"?limit=0", 0, 0, false, false},
		{"?offset=2&epoch=" + top.Epoch, 3, 3, false, false},
		{"?offset=2&limit=1&epoch=" + top.Epoch, 3, 1, false, true},
		{"?offset=2&epoch=other", 1, 5, true, false},
		{"?offset=5&anchor=00000001&epoch=" + top.Epoch, 1, 5, true, false},
	}
	for _, tt := range tests {
		w := s.do(nobody, http.MethodGet, "/channels/kept:1/messages"+tt.query, "")
		p := decode[historyPage](t, w, http.StatusOK)
		if p.Channel != "kept:1" || p.Epoch != top.Epoch || p.Offset != 5 || p.Lost != tt.lost || p.More != tt.more || len(p.Messages) != tt.n {
			t.Errorf("%s: got %+v", tt.query, p)
			continue
		}
		for i, m := range p.Messages {
			if m.Content != tt.first+i || m.Offset != tt.first+i {
				t.Errorf("%s: got %+v", tt.query, p)
			}
		}
	}
}

func TestHistoryErrors(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	for _, query := range []string{"limit=-1", "limit=1001", "limit=x", "offset=1", "epoch=x", "epoch=x&offset=-1", "epoch=x&offset=1&anchor=x", "anchor=00000001"} {
		rejected(t, s.do(app, http.MethodGet, "/channels/kept:1/messages?"+query, ""), 400, "INVALID_MESSAGE")
	}
	rejected(t, s.do(nobody, http.MethodGet, "/channels/slow:1/messages", ""), 403, "FORBIDDEN")
}

// mute is the transport of a connection that nobody listens at.
type mute struct{}

func (mute) Write([]byte) error { return nil }
func (mute) Close()             {}

type silent struct{}

func (silent) AppendEvent(dst []byte, _ hub.Event) []byte  { return dst }
func (silent) AppendPing(dst []byte) []byte                { return dst }
func (silent) AppendClose(dst []byte, _ hub.Reason) []byte { return dst }

func TestChannels(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	for _, channels := range []string{"a b c:1 c:2", "c:2"} {
		conn, err := s.hub.Connect(hub.ConnOptions{Transport: mute{}, Encoder: silent{}})
		if err != nil {
			t.Fatal(err)
		}
		for _, channel := range strings.Fields(channels) {
			if _, err := s.hub.Subscribe(t.Context(), conn, channel, hub.SubscribeOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for query, want := range map[string]string{
		"":                     `{"channels":[{"channel":"a","connections":1},{"channel":"b","connections":1},{"channel":"c:1","connections":1},{"channel":"c:2","connections":2}],"more":false,"nodes":1}`,
		"?prefix=c:&limit=1":   `{"channels":[{"channel":"c:1","connections":1}],"more":true,"next":"c:1","nodes":1}`,
		"?prefix=c:&after=c:1": `{"channels":[{"channel":"c:2","connections":2}],"more":false,"nodes":1}`,
		"?prefix=d":            `{"channels":[],"more":false,"nodes":1}`,
	} {
		w := s.do(app, http.MethodGet, "/channels"+query, "")
		if w.Code != http.StatusOK || w.Body.String() != want {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
	rejected(t, s.do(nobody, http.MethodGet, "/channels", ""), 401, "UNAUTHORIZED")
	rejected(t, s.do(ann, http.MethodGet, "/channels", ""), 403, "FORBIDDEN")
	rejected(t, s.do(app, http.MethodGet, "/channels?limit=1001", ""), 400, "INVALID_MESSAGE")
}

// A name in the path is decoded once, and a slash in it does not end the segment.
func TestChannelInPath(t *testing.T) {
	t.Parallel()
	s := plainSite(t)
	for _, name := range []string{"kept:a/b", "kept:%2F", "kept:ä ö", "kept:b=c&d#e;f", "kept:../x", "kept:a+b"} {
		path := "/channels/" + url.PathEscape(name) + "/messages"
		decode[published](t, s.post(app, path, `{"content":1}`), http.StatusOK)
		if m := s.newest(name); m.Channel != name {
			t.Errorf("got %q, want %q", m.Channel, name)
		}
	}
}
