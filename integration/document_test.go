package integration

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// TestDocument has a client and the app change a document in a real
// Caddy.
func TestDocument(t *testing.T) {
	t.Setenv("REALTIME_TEST_KEY", appKey)
	const site = `
		http://{{site}} {
			realtime {
				api_key {env.REALTIME_TEST_KEY}
				room doc:* {
					subscribe anyone
					publish anyone
					document
				}
				room plan {
					subscribe anyone
					publish anyone
					document {
						change users
					}
				}
			}
		}
	`
	c := Start(t, site)
	ws := dial(t, "ws://"+c.Addr("site")+"/realtime")
	send(t, ws, `{"type":"subscribe","payload":{"channel":"doc:1"}}`)
	expect(t, ws, `"version":0,"state":{}}`)
	send(t, ws, `{"type":"change","payload":{"channel":"doc:1","localVersion":1,"baseVersion":0,"patch":{"title":"x","list":[]}}}`)
	expect(t, ws, `"type":"change-accepted"`)

	path := "http://" + c.Addr("site") + "/realtime/channels/doc:1/document"
	res, text := request(t, "GET", path, "")
	if res.StatusCode != 200 || text != `{"list":[],"title":"x"}` {
		t.Fatalf("%d %s", res.StatusCode, text)
	}
	tag := res.Header.Get("ETag")
	for _, want := range []int{200, 412} {
		res, text = request(t, "PATCH", path, `[{"op":"add","path":"/list/-","value":1}]`,
			"Authorization", "Bearer "+appKey, "Content-Type", "application/json-patch+json", "If-Match", tag)
		if res.StatusCode != want {
			t.Errorf("%d %s, want %d", res.StatusCode, text, want)
		}
	}
	expect(t, ws, `"serverVersion":2,"patch":[{"op":"add","path":"/list/-","value":1}]`)
	// An increment of a client that is behind comes together with one of the app.
	for _, want := range []string{`"serverVersion":3,`, `"serverVersion":4,`} {
		res, text = request(t, "PATCH", path, `[{"op":"increment","path":"/votes","value":2}]`,
			"Authorization", "Bearer "+appKey, "Content-Type", "application/json-patch+json", "If-Match", "*")
		if res.StatusCode != 200 {
			t.Errorf("%d %s", res.StatusCode, text)
		}
		expect(t, ws, want+`"patch":[{"op":"increment","path":"/votes","value":2}]`)
	}
	send(t, ws, `{"type":"change","payload":{"channel":"doc:1","localVersion":2,"baseVersion":3,"patch":[{"op":"increment","path":"/votes","value":-1}]}}`)
	expect(t, ws, `"type":"change-accepted"`)
	if res, text = request(t, "GET", path, ""); text != `{"list":[1],"title":"x","votes":3}` {
		t.Errorf("%d %s", res.StatusCode, text)
	}
	res, text = request(t, "GET", path, "", "If-None-Match", res.Header.Get("ETag"))
	if res.StatusCode != 304 || text != "" {
		t.Errorf("%d %s", res.StatusCode, text)
	}

	// Who may publish need not be who may change.
	send(t, ws, `{"type":"subscribe","payload":{"channel":"plan"}}`)
	expect(t, ws, `"version":0,"state":{}}`)
	send(t, ws, `{"type":"change","payload":{"channel":"plan","localVersion":1,"baseVersion":0,"patch":{"title":"x"}}}`)
	expect(t, ws, `"code":"UNAUTHORIZED"`)
}

// What compresses the answers gives them other ETags. They still say which state it was.
func TestDocumentTagBehindEncode(t *testing.T) {
	t.Setenv("REALTIME_TEST_KEY", appKey)
	c := Start(t, `
		http://{{site}} {
			encode
			realtime {
				api_key {env.REALTIME_TEST_KEY}
				room doc:* {
					document
				}
			}
		}
	`)
	path, key := "http://"+c.Addr("site")+"/realtime/channels/doc:1/document", "Bearer "+appKey
	res, text := request(t, "PUT", path, `{"text":"`+strings.Repeat("x", 1000)+`"}`, "Authorization", key, "Content-Type", "application/json")
	if res.StatusCode != 200 {
		t.Fatalf("%d %s", res.StatusCode, text)
	}
	plain := res.Header.Get("ETag")
	res, _ = request(t, "GET", path, "", "Authorization", key, "Accept-Encoding", "gzip")
	tag := res.Header.Get("ETag")
	if res.Header.Get("Content-Encoding") != "gzip" || tag == plain {
		t.Fatalf("the tag of the compressed document is %s: %v", tag, res.Header)
	}
	for _, want := range []int{200, 412} {
		res, text = request(t, "PATCH", path, `{"text":"y"}`,
			"Authorization", key, "Content-Type", "application/merge-patch+json", "If-Match", tag)
		if res.StatusCode != want {
			t.Errorf("%d %s, want %d", res.StatusCode, text, want)
		}
	}
}

// documentAnswers are changes of a document that has seen {"a":1,"list":[1]} and then
// {"b":2}, each on a document of its own, and what the server says.
var documentAnswers = []struct {
	name, room, change string
	want               string // type, version and code
	state              string // of what is rejected
}{
	{"base equal", "doc", `"baseVersion":2,"patch":{"c":3}`, "change-accepted 3", ""},
	{"behind without overlap", "doc", `"baseVersion":1,"patch":{"a":3}`, "change-accepted 3", ""},
	{"behind, appended", "doc", `"baseVersion":1,"patch":[{"op":"add","path":"/list/-","value":2}]`, "change-accepted 3", ""},
	{"behind with overlap", "doc", `"baseVersion":1,"patch":{"b":3}`, "change-rejected 2 CONFLICT", `{"a":1,"b":2,"list":[1]}`},
	{"behind with overlap, inside of it", "doc", `"baseVersion":0,"patch":[{"op":"add","path":"/list/0","value":0}]`, "change-rejected 2 CONFLICT", `{"a":1,"b":2,"list":[1]}`},
	{"behind, strict", "strict", `"baseVersion":1,"patch":{"a":3}`, "change-rejected 2 CONFLICT", `{"a":1,"b":2,"list":[1]}`},
	{"behind, further than the log", "short", `"baseVersion":0,"patch":{"c":3}`, "change-rejected 2 CONFLICT", `{"a":1,"b":2,"list":[1]}`},
	{"ahead", "doc", `"baseVersion":7,"patch":{"c":3}`, "change-rejected 2 CONFLICT", `{"a":1,"b":2,"list":[1]}`},
	{"duplicate", "doc", `"client":"first","localVersion":1,"baseVersion":0,"patch":{"a":1,"list":[1]}`, "change-accepted 1 duplicate", ""},
	{"stale epoch", "doc", `"epoch":"gone","baseVersion":2,"patch":{"c":3}`, "change-rejected 2 CONFLICT", `{"a":1,"b":2,"list":[1]}`},
	{"a test that fails", "doc", `"baseVersion":2,"patch":[{"op":"test","path":"/a","value":2},{"op":"remove","path":"/a"}]`, "change-rejected 2 CONFLICT", `{"a":1,"b":2,"list":[1]}`},
	{"behind, incremented", "doc", `"baseVersion":1,"patch":[{"op":"increment","path":"/a","value":1}]`, "change-accepted 3", ""},
	{"behind, incremented what was set", "doc", `"baseVersion":1,"patch":[{"op":"increment","path":"/b","value":1}]`, "change-rejected 2 CONFLICT", `{"a":1,"b":2,"list":[1]}`},
	{"incremented what is no number", "doc", `"baseVersion":2,"patch":[{"op":"increment","path":"/list","value":1}]`, "change-rejected 2 INVALID_MESSAGE", `{"a":1,"b":2,"list":[1]}`},
	{"incremented against the schema", "doc", `"baseVersion":2,"patch":[{"op":"increment","path":"/a","value":0.5}]`, "change-rejected 2 SCHEMA_VIOLATION", `{"a":1,"b":2,"list":[1]}`},
	{"does not fit", "doc", `"baseVersion":2,"patch":[{"op":"remove","path":"/c"}]`, "change-rejected 2 INVALID_MESSAGE", `{"a":1,"b":2,"list":[1]}`},
	{"no patch", "doc", `"baseVersion":2,"patch":"c"`, "change-rejected 2 INVALID_MESSAGE", `{"a":1,"b":2,"list":[1]}`},
	{"the whole document", "doc", `"baseVersion":2,"patch":[{"op":"replace","path":"","value":{}}]`, "change-rejected 2 INVALID_MESSAGE", `{"a":1,"b":2,"list":[1]}`},
	{"too large", "doc", `"baseVersion":2,"patch":{"c":"` + strings.Repeat("x", 200) + `"}`, "change-rejected 2 TOO_LARGE", `{"a":1,"b":2,"list":[1]}`},
	{"too deep", "doc", `"baseVersion":2,"patch":{"c":[[[[]]]]}`, "change-rejected 2 TOO_LARGE", `{"a":1,"b":2,"list":[1]}`},
	{"too many operations", "doc", `"baseVersion":2,"patch":{"c":1,"d":1,"e":1,"f":1}`, "change-rejected 2 TOO_LARGE", `{"a":1,"b":2,"list":[1]}`},
	{"against the schema", "doc", `"baseVersion":2,"patch":{"a":"one"}`, "change-rejected 2 SCHEMA_VIOLATION", `{"a":1,"b":2,"list":[1]}`},
	{"forbidden", "app", `"baseVersion":2,"patch":{"c":3}`, "error 0 FORBIDDEN", ""},
	{"no document", "plain", `"baseVersion":0,"patch":{"c":3}`, "error 0 FORBIDDEN", ""},
	{"not subscribed", "", `"baseVersion":0,"patch":{"c":3}`, "error 0 NOT_SUBSCRIBED", ""},
}

const documentAnswersSite = `
	http://{{site}} {
		realtime {
			api_key {env.REALTIME_TEST_KEY}
			room doc:* {
				subscribe anyone
				publish anyone
				schema ` + "`{\"properties\":{\"a\":{\"type\":\"integer\"}}}`" + `
				document {
					size 200
					depth 4
					operations 3
				}
			}
			room strict:* {
				subscribe anyone
				publish anyone
				document {
					conflict strict
				}
			}
			room short:* {
				subscribe anyone
				publish anyone
				document {
					history 1
				}
			}
			room app:* {
				subscribe anyone
				publish anyone
				document {
					change server
				}
			}
			room plain:* {
				subscribe anyone
				publish anyone
			}
		}
	}
`

// TestDocumentAnswers gets every answer to a change over a real WebSocket.
func TestDocumentAnswers(t *testing.T) {
	t.Setenv("REALTIME_TEST_KEY", appKey)
	c := Start(t, documentAnswersSite)
	base := c.Addr("site") + "/realtime"
	for i, a := range documentAnswers {
		t.Run(a.name, func(t *testing.T) {
			channel := fmt.Sprintf("%s:%d", cmp.Or(a.room, "doc"), i)
			ws := dial(t, "ws://"+base)
			if a.room != "" {
				send(t, ws, fmt.Sprintf(`{"type":"subscribe","payload":{"channel":%q}}`, channel))
				expect(t, ws, `"type":"subscribed"`)
				prepareDocument(t, ws, "http://"+base, a.room, channel)
			}
			change := a.change
			if !strings.Contains(change, "localVersion") {
				change = `"localVersion":9,` + change
			}
			send(t, ws, fmt.Sprintf(`{"type":"change","id":"it","payload":{"channel":%q,%s}}`, channel, change))
			got, state := answer(t, ws)
			if got != a.want || state != a.state {
				t.Errorf("%s %s, want %s %s", got, state, a.want, a.state)
			}
		})
	}
}

// prepareDocument makes the first two changes, as the app where nobody else may.
func prepareDocument(t *testing.T, ws *websocket.Conn, base, room, channel string) {
	t.Helper()
	for i, patch := range []string{`{"a":1,"list":[1]}`, `{"b":2}`} {
		switch room {
		case "plain":
			return
		case "app":
			res, text := request(t, "PATCH", base+"/channels/"+channel+"/document", patch,
				"Authorization", "Bearer "+appKey, "Content-Type", "application/merge-patch+json", "If-Match", "*")
			if res.StatusCode != 200 {
				t.Fatalf("%d %s", res.StatusCode, text)
			}
			expect(t, ws, `"type":"remote-change"`)
		default:
			send(t, ws, fmt.Sprintf(`{"type":"change","payload":{"channel":%q,"client":"first","localVersion":%d,"baseVersion":%d,"patch":%s}}`, channel, i+1, i, patch))
			expect(t, ws, `"type":"change-accepted"`)
		}
	}
}

// answer reads what the server says to the command "it".
func answer(t *testing.T, ws *websocket.Conn) (got, state string) {
	t.Helper()
	var f struct {
		Type, ID string
		Payload  struct {
			ServerVersion uint64
			Code, Message string
			Duplicate     bool
			ServerState   json.RawMessage
		}
	}
	for f.ID != "it" {
		if err := ws.ReadJSON(&f); err != nil {
			t.Fatal(err)
		}
	}
	p := f.Payload
	got = fmt.Sprint(f.Type, " ", p.ServerVersion)
	if p.Code != "" {
		got += " " + p.Code
		if p.Message == "" {
			t.Error("no message")
		}
	}
	if p.Duplicate {
		got += " duplicate"
	}
	return got, string(p.ServerState)
}
