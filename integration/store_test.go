package integration

import (
	"os"
	"strings"
	"testing"
)

const storeSite = `
http://{{site}} {
	realtime /rt {
		store STORE
		room news:* {
			subscribe anyone
			publish anyone
			history 10
		}
	}
}
`

// While a Caddy has a store, a second one with the same folder says what it waits for, and then ends with an
// error that names the file. If the first one ends in time, the second one serves, with what
// the first one has stored.
func TestTwoProcessesWithOneStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	site := strings.Replace(storeSite, "STORE", dir, 1)
	first := StartProcess(t, site)
	if res, answer := request(t, "POST", "http://"+first.Addr("site")+"/rt/channels/news:1/messages", `kept`); res.StatusCode != 200 {
		t.Fatalf("%d %s", res.StatusCode, answer)
	}
	second := newProcess(t, build(t), site)
	second.launch()
	t.Cleanup(second.Kill)
	second.WaitLog("another process or another hub has the store open; waiting for its end")
	if code := second.WaitExit(); code != 1 {
		t.Errorf("the exit code is %d", code)
	}
	second.WaitLog("another process or another hub has " + dir + "/realtime.db open; a folder is for one hub of one process")

	second.launch()
	second.WaitLog("waiting for its end")
	first.Terminate()
	second.WaitLog("serving initial configuration")
	if res, answer := request(t, "GET", "http://"+second.Addr("site")+"/rt/channels/news:1/messages", ""); res.StatusCode != 200 || !strings.Contains(answer, `"content":"kept"`) {
		t.Errorf("%d %s", res.StatusCode, answer)
	}
}

// A Caddy whose store can not be opened ends with an error that names the path.
func TestStoreThatIsAFile(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/file"
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := newProcess(t, build(t), strings.Replace(storeSite, "STORE", path, 1))
	p.launch()
	t.Cleanup(p.Kill)
	if code := p.WaitExit(); code != 1 {
		t.Errorf("the exit code is %d", code)
	}
	p.WaitLog("hub 'default': starting the hub: store: " + path + " is no folder, or lies below a file; 'store' takes the folder")
}
