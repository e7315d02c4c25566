package attacks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/api"
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
	"github.com/caddy-realtime/caddy-realtime/sse"
)

// patches are changes of a document, which are carried out where they can be.
func patches() decoder {
	limits := document.Limits{Size: 4096, Depth: 16, Move: true}
	before, e := document.Parse([]byte(`{"a":{"b":[1,{"c":2}]},"d":"x"}`), limits)
	if e != nil {
		panic(e)
	}
	seeds := []string{
		`{"a":{"b":null,"e":[1,2]},"d":"y"}`,
		`[{"op":"test","path":"/a/b/1/c","value":2},{"op":"move","from":"/a/b/0","path":"/a/f"},{"op":"add","path":"/a/b/-","value":{"g":[]}},{"op":"copy","from":"/d","path":"/h"},{"op":"replace","path":"/d","value":1},{"op":"remove","path":"/a/b/0"}]`,
		`[{"op":"increment","path":"/a/b/0","value":1e308},{"op":"increment","path":"/n","value":-0.5},{"op":"increment","path":"/a/b/1/c","value":9007199254740992}]`,
	}
	return decoder{"patches of documents", seeds, func(input []byte) bool {
		patch, e := document.ParsePatch(input, limits)
		if e != nil {
			return false
		}
		if after, _, e := document.Apply(before, patch, limits); e == nil {
			promise(json.Valid(after.Text()) && len(after.Text()) <= limits.Size, "a document that is none, or too large")
		}
		promise(string(before.Text()) == `{"a":{"b":[1,{"c":2}]},"d":"x"}`, "a patch that changes the past")
		return true
	}}
}

// requestDecoders read what comes by HTTP, for a registry of their own.
var requestDecoders = []func(*session.Registry) decoder{
	body("a message", "/channels/open:1/messages", `{"content":{"a":[1,"\u00e9"]},"event":"said","key":"order-17","validate":true}`, `{"content":null}`),
	body("a batch", "/publish", `[{"channels":["open:1","open:2"],"content":1,"event":"e","key":"k"},{"channels":["open:3"],"content":{"a":"b"}}]`),
	body("a revocation", "/revocations", `{"user":"ann","before":1767225600000}`, `{"id":"t-1"}`),
	paths, streams,
}

// body is what is posted to the HTTP API by the app, who gets furthest.
func body(name, path string, seeds ...string) func(*session.Registry) decoder {
	return func(registry *session.Registry) decoder {
		return decoder{"the API: " + name, seeds, func(input []byte) bool {
			r := arrived(http.MethodPost, "Content-Type", "application/json")
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(input)), int64(len(input))
			return answered(registry, r, path) < 300
		}}
	}
}

func paths(registry *session.Registry) decoder {
	return decoder{"the API: paths and queries", []string{"/channels/open%3A1/messages?limit=5&epoch=k3v9x2m7&offset=17", "/channels?prefix=open&limit=10", "/openapi.json"}, func(input []byte) bool {
		path, query, _ := strings.Cut(string(input), "?")
		r := arrived(http.MethodGet, "Accept", "*/*")
		r.URL.RawQuery = query
		return answered(registry, r, path) == 200
	}}
}

// arrived is a request as the server makes it of what it has read, without reading.
func arrived(method, name, value string) *http.Request {
	return &http.Request{
		Method: method, URL: &url.URL{Path: "/"}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{name: {value}}, Body: http.NoBody,
	}
}

// answered gives the status of an answer of the API, which is JSON, and never a fault
// of the server.
func answered(registry *session.Registry, r *http.Request, path string) int {
	w := httptest.NewRecorder()
	if !api.Serve(w, r, path, api.Options{Registry: registry, Caller: session.Caller{App: true}}) {
		return http.StatusNotFound
	}
	promise(w.Code < 500, fmt.Sprintf("a request that is answered with %d", w.Code))
	promise(w.Body.Len() == 0 || json.Valid(w.Body.Bytes()), "a request that is not answered in JSON")
	return w.Code
}

// streams are requests for event streams, of rooms into which nobody may: those that
// are understood are refused for that.
func streams(registry *session.Registry) decoder {
	return decoder{"requests for streams", []string{"channel=shut:1&channel=shut%3A2&lastEventId=abcdef~k3v9x2m7~17~9c1f03aa&format=content"}, func(input []byte) bool {
		query := string(input)
		if !strings.Contains(query, "channel=shut") {
			query += "&channel=shut:3" // so that no stream begins
		}
		r := arrived(http.MethodGet, "Accept", "text/event-stream")
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		if err := sse.Serve(w, r, sse.Options{Registry: registry}); err != nil {
			return false
		}
		promise(w.Code != http.StatusOK && w.Code < 500, fmt.Sprintf("a request that is answered with %d", w.Code))
		return w.Code == http.StatusForbidden
	}}
}

// changes and addressed are payloads in rooms with documents and with presence.
func changes() decoder {
	return decode("DecodeChange", protocol.DecodeChange, func(c protocol.Change) {
		validChannel(c.Channel)
		promise(json.Valid(c.Patch), "a patch that is not JSON")
		promise(c.Client == "" || protocol.ValidKey(c.Client) == nil, "a bad name")
	}, `{"channel":"board:1","client":"q7x2m9","localVersion":3,"epoch":"k3v9x2m7","baseVersion":17,"patch":[{"op":"add","path":"/a","value":1}]}`)
}

func addressed() decoder {
	return decode("DecodePublish to one member", protocol.DecodePublish, func(p protocol.Publish) {
		promise(p.To == nil || p.To.User != "" || p.To.Connection != "", "a message to nobody")
	}, `{"channel":"lobby:1","content":1,"to":{"user":"ann","connection":"abcdefghij234567"}}`)
}
