package integration

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

const patternSite = `
http://{{site}} {
	realtime /rt {
		user {header.X-User}
		redis {env.REALTIME_TEST_REDIS}
		room orders:* {
			subscribe anyone
			subscribe_pattern users
			publish anyone
			history 10
		}
		room news {
			subscribe anyone
			publish anyone
		}
	}
}
`

// A subscription to a pattern on one node gets what is published on another one, and a gap when
// Redis was away.
func TestPatternOverTwoNodes(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	env := "REALTIME_TEST_REDIS=" + redis.Addr
	a, b := StartProcess(t, patternSite, env), StartProcess(t, patternSite, env)
	baseA, baseB := "http://"+a.Addr("site")+"/rt", "http://"+b.Addr("site")+"/rt"
	publish := func(base, channel, content string) {
		t.Helper()
		res, body := request(t, "POST", base+"/channels/"+channel+"/messages", fmt.Sprintf(`{"content": %q}`, content), "X-User", "carl")
		if res.StatusCode != 200 {
			t.Fatalf("%s: %s", res.Status, body)
		}
	}
	stream := func(query string, header ...string) *roomStream {
		t.Helper()
		ctx, end := context.WithTimeout(t.Context(), time.Minute)
		t.Cleanup(end)
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, baseA+"?"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "text/event-stream")
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { res.Body.Close() })
		return &roomStream{t, bufio.NewScanner(res.Body), end}
	}

	if line := stream("pattern=orders:*").until("status"); !strings.Contains(line, "401") {
		t.Errorf("an anonymous client: %s", line)
	}
	if line := stream("pattern=*", "X-User", "ann").until("status"); !strings.Contains(line, "403") {
		t.Errorf("a pattern over two blocks: %s", line)
	}
	ann := stream("pattern=orders:*&channel=news", "X-User", "ann")
	ann.until(`"subscribed"`, `"channel":"news"`)
	ann.until(`"subscribed"`, `"pattern":"orders:*"`)
	publish(baseB, "orders:1", "from b")
	ann.until(`"channel":"orders:1"`, "from b")
	publish(baseA, "orders:2", "from a")
	ann.until(`"channel":"orders:2"`, "from a")
	publish(baseB, "news", "for the channel")
	ann.until(`"channel":"news"`, "for the channel")

	redis.Kill()
	redis.Restart()
	ann.until(`"type":"gap"`, `"pattern":"orders:*"`)
	publish(baseB, "orders:3", "after")
	ann.until(`"channel":"orders:3"`, "after")

	// Who comes back to the stream missed something.
	again := stream("pattern=orders:*", "X-User", "ann", "Last-Event-ID", "~")
	again.until(`"type":"gap"`, `"pattern":"orders:*"`)
}
