package integration

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// get asks for a URL and returns status, headers and body.
func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

const site = `
http://{{site}} {
	realtime /rt {
		room news
	}
	respond "the app"
}
`

func TestServesBesideTheApp(t *testing.T) {
	c := Start(t, site)
	base := "http://" + c.Addr("site")
	if res, body := get(t, base+"/other"); res.StatusCode != 200 || body != "the app" {
		t.Errorf("the app answered %d %q", res.StatusCode, body)
	}
	res, body := get(t, base+"/rt")
	var problem struct {
		Status int
		Detail string
	}
	if err := json.Unmarshal([]byte(body), &problem); err != nil || problem.Status != 426 || problem.Detail == "" {
		t.Errorf("the base path answered %q, %v", body, err)
	}
	if res.StatusCode != 426 || res.Header.Get("Content-Type") != "application/problem+json" || res.Header.Get("Upgrade") != "websocket" {
		t.Errorf("the base path answered %d %v", res.StatusCode, res.Header)
	}
}

func TestReloadKeepsTheAddress(t *testing.T) {
	c := Start(t, site)
	before := c.Addr("site")
	c.Reload(strings.Replace(site, "the app", "another app", 1))
	if c.Addr("site") != before {
		t.Errorf("the address went from %s to %s", before, c.Addr("site"))
	}
	if _, body := get(t, "http://"+before); body != "another app" {
		t.Errorf("after the reload: %q", body)
	}
}

func TestErrorRoutes(t *testing.T) {
	c := Start(t, `
		http://{{plain}} {
			realtime
		}
		http://{{pretty}} {
			realtime
			handle_errors {
				respond "sorry: {err.status_code} {err.message}"
			}
		}
	`)
	if _, body := get(t, "http://"+c.Addr("pretty")+"/realtime/nothing"); body != "sorry: 404 there is nothing at this path" {
		t.Errorf("with handle_errors: %q", body)
	}
	if _, body := get(t, "http://"+c.Addr("plain")+"/realtime/nothing"); !strings.Contains(body, `"status":404`) {
		t.Errorf("without handle_errors: %q", body)
	}
}
