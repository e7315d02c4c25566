package integration

import "testing"

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
