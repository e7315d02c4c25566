package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// endless is a body that never ends. It begins with head.
type endless struct {
	head string
	more string
	read int
}

func (b *endless) Read(p []byte) (int, error) {
	text := b.head
	if b.read >= len(text) {
		text = strings.Repeat(b.more, len(p)/len(b.more)+1)
	} else {
		text = text[b.read:]
	}
	n := copy(p, text)
	b.read += n
	return n, nil
}

// send sends a request whose body is JSON.
func (s *site) send(who session.Caller, method, path string, body io.Reader) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, "http://example.com"+path, body)
	r.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		r.Header.Set("Content-Type", mergePatch)
		r.Header.Set("If-Match", "*")
	}
	w := httptest.NewRecorder()
	Serve(w, r, r.URL.EscapedPath(), Options{Registry: s.registry, Caller: who})
	described(s.t, method, r.URL.EscapedPath(), w.Code)
	return w
}

// documentSite has rooms in which users publish, and anonymous callers nowhere.
func documentSite(t *testing.T, limits session.Limits) *site {
	t.Helper()
	s := docSite(t)
	p, err := policy.Compile([]policy.Room{
		{Pattern: "kept:*", Subscribe: policy.Anyone, Publish: policy.Users, History: hub.Retention{Size: 100}},
		{Pattern: "board:*", Subscribe: policy.Anyone, Publish: policy.Users, Document: new(document.Options)},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.hub.Apply(hub.Settings{Room: p.Options})
	s.registry.Apply(session.Config{Policy: p, Limits: limits})
	return s
}

// changes are the requests whose body is read.
var changes = []struct{ method, path string }{
	{http.MethodPost, "/publish"},
	{http.MethodPost, "/channels/kept:1/messages"},
	{http.MethodPatch, "/channels/board:1/document"},
	{http.MethodPut, "/channels/board:1/document"},
	{http.MethodPost, "/channels/board:1/document/changes"},
}

// Who may not do it is told so before anything of the body is read, and is charged.
func TestPermissionComesBeforeTheBody(t *testing.T) {
	t.Parallel()
	for _, one := range changes {
		s := documentSite(t, session.Limits{Rate: policy.Rate{PerSecond: 0.01, Burst: 2}})
		body := &endless{more: "0,"}
		for range 2 {
			rejected(t, s.send(nobody, one.method, one.path, body), http.StatusUnauthorized, "UNAUTHORIZED")
		}
		rejected(t, s.send(nobody, one.method, one.path, body), http.StatusTooManyRequests, "RATE_LIMITED")
		if body.read > 0 {
			t.Errorf("%s %s: %d bytes were read", one.method, one.path, body.read)
		}
	}
}

// A body that can not be decoded costs its caller as much as one that can.
func TestBrokenBodiesAreCharged(t *testing.T) {
	t.Parallel()
	for _, one := range changes {
		s := documentSite(t, session.Limits{Rate: policy.Rate{PerSecond: 0.01, Burst: 2}})
		for range 2 {
			rejected(t, s.send(ann, one.method, one.path, strings.NewReader(`[`)), http.StatusBadRequest, "INVALID_JSON")
		}
		rejected(t, s.send(ann, one.method, one.path, strings.NewReader(`[`)), http.StatusTooManyRequests, "RATE_LIMITED")
	}
}

// A batch is read no further than to the first item that is too much.
func TestBatchStopsAtTheLimit(t *testing.T) {
	t.Parallel()
	s := documentSite(t, session.Limits{})
	body := &endless{head: "[", more: "0,"}
	rejected(t, s.send(ann, http.MethodPost, "/publish", body), http.StatusRequestEntityTooLarge, "TOO_LARGE")
	if body.read > 4<<10 {
		t.Errorf("%d bytes were read", body.read)
	}
}

// The items of a batch are charged one by one, those that can not be decoded as well. The
// first one was paid with the request.
func TestBatchIsChargedByItem(t *testing.T) {
	t.Parallel()
	s := documentSite(t, session.Limits{Rate: policy.Rate{PerSecond: 0.01, Burst: 3}})
	const items = `[7, {"channels":["kept:1","kept:2"],"content":1}, 7, {"channels":["kept:1"],"content":1}]`
	got := decode[[]batchResult](t, s.send(ann, http.MethodPost, "/publish", strings.NewReader(items)), http.StatusOK)
	codes := []string{string(got[0].Error.Code), "", "", string(got[2].Error.Code), string(got[3].Channels[0].Error.Code)}
	for i, result := range got[1].Channels {
		if result.Error != nil {
			codes[1+i] = string(result.Error.Code)
		}
	}
	if strings.Join(codes, " ") != "INVALID_MESSAGE   RATE_LIMITED RATE_LIMITED" {
		t.Errorf("got %q", codes)
	}
}

// Every byte of a batch has to be JSON, as with any other body.
func TestBatchDecodes(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`[]`: "", ` [ 1 , {} ] `: "", `[[1]]`: "",
		``: "INVALID_JSON", `[`: "INVALID_JSON", `[1`: "INVALID_JSON", `[1,]`: "INVALID_JSON", `[1 2]`: "INVALID_JSON", `[,1]`: "INVALID_JSON",
		`[1]]`: "INVALID_JSON", `[1] 2`: "INVALID_JSON", `[1}`: "INVALID_JSON", "[\"\xff\"]": "INVALID_JSON", `[nul]`: "INVALID_JSON",
		`{}`: "INVALID_MESSAGE", `null`: "INVALID_MESSAGE", `"x"`: "INVALID_MESSAGE", `7`: "INVALID_MESSAGE",
	} {
		_, e := decodeBatch(strings.NewReader(body))
		if (e == nil) != (want == "") || e != nil && string(e.Code) != want {
			t.Errorf("%q: %v, want %q", body, e, want)
		}
	}
}

// Bodies count while they are being sent: an address can not fill the memory with many.
func TestBodiesAreCounted(t *testing.T) {
	t.Parallel()
	const limit = 256 << 10
	s := documentSite(t, session.Limits{RequestMemoryPerIP: limit})
	from := func(ip string) session.Caller {
		return session.Caller{Principal: &session.Principal{Subject: policy.Subject{User: "ann"}, IP: netip.MustParseAddr(ip)}}
	}
	body, rest := io.Pipe()
	held := make(chan *httptest.ResponseRecorder)
	go func() { held <- s.send(from("192.0.2.1"), http.MethodPost, "/publish", body) }()
	begin := `[{"channels":["kept:1"],"content":"` + strings.Repeat("x", 200<<10) // twice that is held
	if _, err := io.WriteString(rest, begin); err != nil {
		t.Fatal(err)
	}
	one := func() io.Reader { return strings.NewReader(`{"content":1}`) }
	rejected(t, s.send(from("192.0.2.1"), http.MethodPost, "/channels/kept:1/messages", one()), http.StatusTooManyRequests, "RATE_LIMITED")
	decode[published](t, s.send(from("192.0.2.2"), http.MethodPost, "/channels/kept:1/messages", one()), http.StatusOK)
	decode[published](t, s.send(app, http.MethodPost, "/channels/kept:1/messages", one()), http.StatusOK)
	if _, err := io.WriteString(rest, `"}]`); err != nil {
		t.Fatal(err)
	}
	_ = rest.Close()
	if w := <-held; w.Code != http.StatusOK {
		t.Errorf("the first one is answered with %d", w.Code)
	}
	decode[published](t, s.send(from("192.0.2.1"), http.MethodPost, "/channels/kept:1/messages", one()), http.StatusOK)
}

// taken is a client that takes an answer only when it may.
type taken struct {
	*httptest.ResponseRecorder
	writing, may chan struct{}
}

func (w *taken) Write(p []byte) (int, error) {
	close(w.writing)
	<-w.may
	return w.ResponseRecorder.Write(p)
}

// Answers count until they are taken.
func TestAnswersAreCounted(t *testing.T) {
	t.Parallel()
	s := newSite(t, session.Limits{RequestMemoryPerIP: 64 << 10}, func(b hub.Broker) hub.Broker { return b })
	who := session.Caller{Principal: &session.Principal{Subject: policy.Subject{User: "ann"}, IP: netip.MustParseAddr("192.0.2.1")}}
	s.send(app, http.MethodPost, "/channels/kept:1/messages", strings.NewReader(`{"content":"`+strings.Repeat("x", 60<<10)+`"}`))
	w := &taken{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://example.com/channels/kept:1/messages", nil)
		Serve(w, r, r.URL.Path, Options{Registry: s.registry, Caller: who})
	}()
	<-w.writing
	rejected(t, s.send(who, http.MethodGet, "/channels/kept:1/messages", nil), http.StatusTooManyRequests, "RATE_LIMITED")
	close(w.may)
	<-done
	if w := s.send(who, http.MethodGet, "/channels/kept:1/messages", nil); w.Code != http.StatusOK {
		t.Errorf("afterwards: status %d", w.Code)
	}
}
