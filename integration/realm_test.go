package integration

import (
	"strings"
	"testing"
	"time"
)

// plainSite has two paths into one hub that say nothing about who may come in; with
// a realm, the first one does.
const plainSite = `
http://{{site}} {
	realtime {
		REALM
		room open:* {
			subscribe anyone
			publish anyone
		}
	}
	realtime /other
}
`

func startPlain(t *testing.T) (c *Caddy, reload func(realm string)) {
	t.Helper()
	t.Setenv("REALTIME_TEST_SECRET", tokenSecret)
	site := func(realm string) string { return strings.Replace(plainSite, "REALM", realm, 1) }
	c = Start(t, site(""))
	return c, func(realm string) { c.Reload(site(realm)) }
}

// Who is there when a route begins to want tokens has to authenticate in time, by
// WebSocket, and is sent away where that can not be done. Another route does not.
func TestRequiredByReload(t *testing.T) {
	c, reload := startPlain(t)
	i := &issuer{t: t}
	url := "ws://" + c.Addr("site")
	silent, _, _ := connect(t, url+"/realtime")
	ann, _, _ := connect(t, url+"/realtime")
	elsewhere, _, _ := connect(t, url+"/other")
	send(t, ann, `{"type":"subscribe","payload":{"channel":"open:1"}}`)
	expect(t, ann, `"type":"subscribed"`)

	reload("token {\n hmac {env.REALTIME_TEST_SECRET}\n required\n deadline 5s\n}")
	expect(t, ann, `"type":"unsubscribed"`)
	send(t, ann, `{"type":"message","id":1,"payload":{"channel":"open:1","content":1}}`)
	expect(t, ann, `"code":"UNAUTHORIZED"`)
	send(t, ann, `{"type":"authenticate","payload":{"token":"`+i.hmac(claims("ann"))+`"}}`)
	expect(t, ann, `"type":"authenticated"`)
	if code := closed(t, silent); code != 4401 {
		t.Errorf("who did not authenticate was closed with %d", code)
	}
	lives(t, ann)
	lives(t, elsewhere)

	// A token in a header can not be brought later.
	reload("token {\n hmac {env.REALTIME_TEST_SECRET}\n}")
	late, _, _ := connect(t, url+"/realtime")
	reload("token {\n hmac {env.REALTIME_TEST_SECRET}\n required\n from header\n}")
	begin := time.Now()
	if code := closed(t, late); code != 4401 || time.Since(begin) > 5*time.Second {
		t.Errorf("who can not authenticate was closed with %d after %v", code, time.Since(begin))
	}
	lives(t, ann)
}

// Who is there when a route begins to ask the app is asked about when it comes back.
func TestAskedByReload(t *testing.T) {
	c, reload := startPlain(t)
	url := "ws://" + c.Addr("site")
	here, _, _ := connect(t, url+"/realtime", "Cookie", "session=1")
	elsewhere, _, _ := connect(t, url+"/other")
	reload("authorize {\n @known header Cookie session=1\n respond @known 204\n}")
	if code := closed(t, here); code != 4502 {
		t.Errorf("closed with %d", code)
	}
	lives(t, elsewhere)
	again, _, _ := connect(t, url+"/realtime", "Cookie", "session=1")
	lives(t, again)
	if _, res, _ := connect(t, url+"/realtime"); res.StatusCode != 403 {
		t.Errorf("a stranger: %s", res.Status)
	}
	// A reload that asks in another way closes nothing.
	reload("authorize {\n respond 204\n}")
	lives(t, again)
}
