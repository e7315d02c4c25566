package integration

import (
	"net"
	"net/http"
	"net/http/fcgi"
	"os"
	"path/filepath"
	"testing"
)

// TestAuthorizeHasVarsOfTheSite asks an app by FastCGI, which finds its script in the
// site's root.
func TestAuthorizeHasVarsOfTheSite(t *testing.T) {
	root := t.TempDir()
	script := filepath.Join(root, "index.php")
	if err := os.WriteFile(script, []byte("<?php"), 0o600); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	served := make(chan map[string]string, 10)
	go func() {
		_ = fcgi.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			served <- fcgi.ProcessEnv(r)
			w.WriteHeader(http.StatusNoContent)
		}))
	}()
	c := Start(t, `
		http://{{site}} {
			root * `+root+`
			vars team red
			realtime /rt {
				room news {
					subscribe anyone
					read anyone
					history 5
				}
				authorize {
					on subscribe
					cache off
					@other not vars {vars.team} red
					respond @other 404
					php_fastcgi `+ln.Addr().String()+`
				}
			}
		}
	`)
	res, body := get(t, "http://"+c.Addr("site")+"/rt/channels/news/messages")
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	env := <-served
	if env["DOCUMENT_ROOT"] != root {
		t.Errorf("DOCUMENT_ROOT is %q, not %q", env["DOCUMENT_ROOT"], root)
	}
	if env["SCRIPT_FILENAME"] != "" && env["SCRIPT_FILENAME"] != script {
		t.Errorf("SCRIPT_FILENAME is %q, not %q", env["SCRIPT_FILENAME"], script)
	}
}

// TestUnusualRefusalIsLogged has an app that answers 404, as one does whose root or
// path is wrong.
func TestUnusualRefusalIsLogged(t *testing.T) {
	c := Start(t, `
		http://{{site}} {
			realtime /rt {
				room news {
					subscribe anyone
					history 5
				}
				authorize {
					on subscribe
					respond 404
				}
			}
		}
	`)
	if res, body := get(t, "http://"+c.Addr("site")+"/rt/channels/news/messages"); res.StatusCode != http.StatusForbidden {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	c.WaitLog(`"status":404`)
}
