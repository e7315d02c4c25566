package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

// Two processes share a document. While Redis is away it can be read and not changed,
// and afterwards it goes on.
func TestProcessesShareDocuments(t *testing.T) {
	t.Parallel()
	const site = `
		http://{{site}} {
			realtime /rt {
				redis {env.REALTIME_TEST_REDIS}
				room doc:* {
					subscribe anyone
					publish anyone
					document
				}
			}
		}
	`
	redis := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	env := "REALTIME_TEST_REDIS=" + redis.Addr
	a, b := StartProcess(t, site, env), StartProcess(t, site, env)
	base := "http://" + a.Addr("site") + "/rt"
	join := func(p *Process, document string) *websocket.Conn {
		ws := dial(t, "ws://"+p.Addr("site")+"/rt")
		if err := ws.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		send(t, ws, `{"type":"subscribe","payload":{"channel":"doc:1"}}`)
		expect(t, ws, document)
		return ws
	}
	change := func(client string, local, base int, patch string) string {
		return fmt.Sprintf(`{"type":"change","payload":{"channel":"doc:1","client":%q,"localVersion":%d,"baseVersion":%d,"patch":%s}}`, client, local, base, patch)
	}
	ann, ben := join(a, `"version":0,"state":{}}`), join(b, `"version":0,"state":{}}`)
	send(t, ann, change("ann", 1, 0, `{"ann":1}`))
	expect(t, ann, `"type":"change-accepted"`)
	expect(t, ben, `"serverVersion":1`)
	send(t, ben, change("ben", 1, 0, `{"ben":1}`)) // of the same version, but something else
	expect(t, ben, `"type":"change-accepted"`)
	expect(t, ann, `"serverVersion":2`)

	redis.Kill()
	send(t, ann, change("ann", 2, 2, `{"ann":2}`))
	expect(t, ann, `"code":"UNAVAILABLE"`)
	join(a, `"version":2,"stale":true,"state":{"ann":1,"ben":1}}`)
	res, text := request(t, "GET", base+"/channels/doc:1/document", "")
	if res.StatusCode != http.StatusOK || res.Header.Get("Realtime-Stale") != "true" || text != `{"ann":1,"ben":1}` {
		t.Errorf("read without Redis: %d %s %v", res.StatusCode, text, res.Header)
	}
	redis.Restart()
	for {
		send(t, ann, change("ann", 2, 2, `{"ann":2}`))
		_, frame, err := ann.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(frame), `"type":"change-accepted"`) {
			break
		}
		if !strings.Contains(string(frame), `"code":"UNAVAILABLE"`) {
			t.Fatalf("%s", frame)
		}
	}
	expect(t, ben, `"serverVersion":3`)
	if _, text := request(t, "GET", base+"/channels/doc:1/document", ""); text != `{"ann":2,"ben":1}` {
		t.Error(text)
	}
}
