package integration

import (
	"net/http"
	"testing"
)

// A process that is killed leaves its address to the next one, which is what tests
// of reconnecting clients rely on.
func TestProcessComesBack(t *testing.T) {
	t.Parallel()
	p := StartProcess(t, site)
	url := "http://" + p.Addr("site") + "/other"
	if _, body := get(t, url); body != "the app" {
		t.Errorf("the app answered %q", body)
	}
	p.Kill()
	if res, err := http.Get(url); err == nil {
		t.Errorf("a killed process answered %s", res.Status)
	}
	p.Start()
	if _, body := get(t, url); body != "the app" {
		t.Errorf("the app answered %q", body)
	}
	p.Terminate()
	if code := p.WaitExit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
