package integration

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// TestBesideEarlierDirectives puts each directive that Caddy runs before `realtime`, and
// some that it runs later, beside it on one site.
func TestBesideEarlierDirectives(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{"index.html": "the page", "app.js": "the script"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const endpoint, app = "the endpoint", "the app"
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	users := "{\n ann " + string(hash) + "\n }"
	for _, test := range []struct {
		name, site string
		want       string // what /rt/client.js is: the client of the endpoint, or the app
	}{
		{"tracing", "", endpoint}, // nothing else beside it
		{"map", "map {path} {x} {\n default 1\n }", endpoint},
		{"vars", "vars x 1", endpoint},
		{"fs", "fs file", endpoint},
		{"root", "root /other", endpoint},
		{"log_append", "log_append x 1", endpoint},
		{"log_skip", "log_skip /rt*", endpoint},
		{"log_name", "log_name x", endpoint},
		{"header", "header X-Test 1", endpoint},
		{"request_body", "request_body {\n max_size 1MB\n }", endpoint},
		{"redir of something else", "redir /old /new", endpoint},
		{"redir of the endpoint", "redir /rt/* /new", "302"},
		{"method", "method GET", endpoint},
		{"rewrite of all", "rewrite * /index.html", endpoint},
		{"rewrite of all with a query", "rewrite /index.html?{query}&route={path}", endpoint},
		{"rewrite by a matcher", "@missing not file\n rewrite @missing /index.html", endpoint},
		{"rewrite by an expression", "@pages path_regexp ^/[^.]\n rewrite @pages /index.html", endpoint},
		{"rewrite of all but assets", "@app not path /assets/*\n rewrite @app /index.html", endpoint},
		{"rewrite of the endpoint", "rewrite /rt/* /index.html", app},
		{"rewrite of a part of the endpoint", "rewrite /rt/client.js /index.html", app},
		{"rewrite of another part of the endpoint", "rewrite /rt/publish /index.html", endpoint},
		{"rewrite of the endpoint and try_files", "rewrite /rt/* /other\n try_files {path} /index.html", app},
		{"uri of something else", "uri strip_prefix /api", endpoint},
		{"uri for all", "uri replace / /v1/ 1", endpoint},
		{"uri of the endpoint", "uri /rt/* strip_prefix /rt", app},
		{"try_files", "try_files {path} /index.html", endpoint},
		{"try_files with an app", "try_files {path} {path}/ /index.html?{query}", endpoint},
		{"basic_auth", "basic_auth " + users, "401"},
		{"basic_auth and try_files", "try_files {path} /index.html\n basic_auth " + users, "401"},
		{"basic_auth of the endpoint and try_files", "try_files {path} /index.html\n basic_auth /rt* " + users, "401"},
		{"basic_auth of something else and try_files", "try_files {path} /index.html\n basic_auth /admin* " + users, endpoint},
		{"forward_auth of the endpoint and try_files", "try_files {path} /index.html\n forward_auth /rt/* {{auth}} {\n uri /check\n }", "403"},
		{"request_header", "request_header -X-Test", endpoint},
		{"encode", "encode gzip", endpoint},
		{"push", "push /app.js", endpoint},
		{"intercept", "intercept {\n @no status 599\n replace_status @no 500\n }", endpoint},
		{"templates", "templates", endpoint},
		{"invoke", "invoke pages", endpoint},
		{"handle", "handle {\n respond \"not this\"\n }", endpoint},
		{"handle_path", "handle_path /other/* {\n respond \"not this\"\n }", endpoint},
		{"route with try_files", "route {\n try_files {path} /index.html\n }", endpoint},
		{"respond", "respond \"not this\"", endpoint},
		{"error", "error 500", endpoint},
		{"abort", "abort", endpoint},
		{"metrics", "metrics", endpoint},
		{"reverse_proxy", "reverse_proxy {{auth}}", endpoint},
		{"php_fastcgi", "php_fastcgi {{auth}}", endpoint},
	} {
		t.Run(strings.ReplaceAll(test.name, " ", "_"), func(t *testing.T) {
			c := Start(t, `
				&(pages) {
					header X-Named 1
				}
				http://{{auth}} {
					respond 403
				}
				http://{{site}} {
					root * `+root+`
					`+test.site+`
					realtime /rt {
						room news
					}
					file_server
				}
			`)
			base := "http://" + c.Addr("site")
			if got := answerer(t, base+"/rt/client.js"); got != test.want && !(test.want == app && got == "404") {
				t.Errorf("/rt/client.js is answered by %s, not by %s", got, test.want)
			}
			if signedIn := strings.Replace(base, "http://", "http://ann:secret@", 1); test.want == "401" && answerer(t, signedIn+"/rt/client.js") != endpoint {
				t.Error("the endpoint does not answer somebody who has signed in")
			}
			if res, _ := get(t, base+"/rt/nothing/there"); test.want == endpoint && res.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("below the endpoint: %d %v", res.StatusCode, res.Header)
			}
		})
	}
}

// answerer tells who answers a request: the endpoint with its browser client, the app,
// or else a status.
func answerer(t *testing.T, url string) string {
	t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	switch kind := res.Header.Get("Content-Type"); {
	case res.StatusCode == http.StatusOK && strings.HasPrefix(kind, "text/javascript"):
		return "the endpoint"
	case res.StatusCode == http.StatusOK:
		return "the app"
	}
	return strconv.Itoa(res.StatusCode)
}

// TestOriginalPathPassesWhatIsBeforeIt has an endpoint in places where a rewrite could
// take it past what stands before it.
func TestOriginalPathPassesWhatIsBeforeIt(t *testing.T) {
	const endpoint, app = "the endpoint", "the app"
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	login := "basic_auth /rt* {\n ann " + string(hash) + "\n }\n"
	for _, test := range []struct{ name, site, want string }{
		{"authentication around a handle", "rewrite * /index.html\n" + login + "handle {\n realtime /rt\n respond app\n }", "401"},
		{"authentication in a handle", "rewrite * /index.html\n handle {\n" + login + "realtime /rt\n respond app\n }", "401"},
		{"a rewrite in a handle", "handle {\n rewrite * /index.html\n" + login + "realtime /rt\n respond app\n }", "401"},
		{"a rewrite between routes", "route {\n route {\n rewrite * /index.html\n }\n" + login + "realtime /rt\n respond app\n }", "401"},
		{"authentication before the rewrite", "route {\n" + login + "rewrite * /index.html\n realtime /rt\n respond app\n }", "401"},
		{"a block of its own", "rewrite * /index.html\n route {\n route /rt* {\n error 403\n }\n realtime /rt\n respond app\n }", "403"},
		{"a rewrite of the endpoint in a route", "route {\n route /rt/* {\n rewrite * /index.html\n }\n realtime /rt\n respond app\n }", app},
		{"a handle for the endpoint", "rewrite * /index.html\n handle /rt* {\n realtime /rt\n }\n respond app", app},
		{"a named route", "rewrite * /index.html\n" + login + "invoke live\n respond app", app},
		{"a named route by the current path", "invoke live\n respond app", endpoint},
		{"handle_path", "handle_path /deep/rt/* {\n realtime /\n }\n rewrite /rt/* /deep{uri}\n respond app", endpoint},
		{"strip_prefix", "uri strip_prefix /deep\n realtime /rt\n rewrite /rt/* /deep{uri}\n respond app", endpoint},
	} {
		t.Run(strings.ReplaceAll(test.name, " ", "_"), func(t *testing.T) {
			c := Start(t, "&(live) {\n realtime /rt\n }\n http://{{site}} {\n"+test.site+"\n}\n")
			if got := answerer(t, "http://"+c.Addr("site")+"/rt/client.js"); got != test.want {
				t.Errorf("answered by %s, not by %s", got, test.want)
			}
		})
	}
}

// TestRewriteRunsNothingTwice has a header added before a rewrite and another one after
// it, both for the endpoint alone.
func TestRewriteRunsNothingTwice(t *testing.T) {
	c := Start(t, `
		http://{{site}} {
			route {
				header /rt* +X-Before 1
				rewrite * /index.html
				header /rt* +X-After 1
				header /index.html +X-Page 1
				realtime /rt
			}
		}
	`)
	res, _ := get(t, "http://"+c.Addr("site")+"/rt/client.js")
	for _, name := range []string{"X-Before", "X-After", "X-Page"} {
		if got := len(res.Header.Values(name)); got != 1 {
			t.Errorf("%s is there %d times", name, got)
		}
	}
}

// TestLongestPathAnswers has endpoints below one another, in an order in which the
// shorter paths would take all requests.
func TestLongestPathAnswers(t *testing.T) {
	c := Start(t, `
		http://{{site}} {
			try_files {path} /index.html
			realtime / {
				hub all
				api_key all-key
				room all
			}
			realtime /rt {
				hub some
				api_key some-key
				room some
			}
			realtime /rt/admin {
				hub few
				api_key few-key
				room few
			}
		}
	`)
	for path, key := range map[string]string{"": "all-key", "/rt": "some-key", "/rt/admin": "few-key", "/rtx": ""} {
		for _, k := range []string{"all-key", "some-key", "few-key"} {
			req, err := http.NewRequest(http.MethodGet, "http://"+c.Addr("site")+path+"/channels", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+k)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if open := res.StatusCode == http.StatusOK; open != (k == key) {
				t.Errorf("%s/channels with %s: %d", path, k, res.StatusCode)
			}
		}
	}
}

func TestUnreachableEndpoint(t *testing.T) {
	c := Start(t, `http://{{site}} {
		realtime /rt
	}`)
	for _, test := range []struct{ name, site, want string }{
		{"the same path twice", "realtime /rt {\n hub a\n room x\n }\n realtime /rt {\n hub b\n room y\n }", "'realtime /rt' is never reached"},
		{"the same path twice in a handle", "handle {\n realtime /rt\n realtime /rt\n }", "'realtime /rt' is never reached"},
		{"all before a handle", "realtime /\n handle {\n realtime /rt\n }", "'realtime /rt' is never reached: 'realtime /' comes before"},
		{"all before a handle of a handle", "realtime /rt\n handle {\n handle {\n realtime /rt/admin\n }\n }", "'realtime /rt/admin' is never reached"},
		{"another path in a handle", "realtime /rt\n handle {\n realtime /rtx\n }", ""},
		{"the same path in two handles", "handle /rt/a* {\n realtime /rt/a\n }\n handle {\n realtime /rt/a\n }", ""},
		{"the same path of socketio", "realtime /a {\n hub a\n socketio\n }\n realtime /b {\n hub b\n socketio\n }", "comes before it and answers at /socket.io"},
		{"the path of socketio twice, in a handle", "realtime /a {\n socketio\n }\n handle {\n realtime /b {\n socketio\n }\n }", "'socketio' of 'realtime /b' is never reached"},
		{"socketio where another one is", "realtime /socket.io {\n hub a\n }\n handle {\n realtime /b {\n socketio\n }\n }", "'socketio' of 'realtime /b' is never reached"},
		{"other paths of socketio", "realtime /a {\n socketio\n }\n realtime /b {\n socketio /b.io\n }", ""},
		{"socketio in two handles", "handle /a* {\n realtime /a {\n socketio /a.io\n }\n }\n handle {\n realtime /b {\n socketio /a.io\n }\n }", ""},
		{"the same path of pusher", "realtime /a {\n hub a\n pusher x {\n key a\n secret b\n }\n }\n realtime /b {\n hub b\n pusher y {\n key b\n secret b\n }\n }", "comes before it and answers at /app"},
		{"other paths of pusher", "realtime /a {\n pusher x {\n key a\n secret b\n }\n }\n realtime /b {\n pusher y {\n key b\n secret b\n path /y\n }\n }", ""},
		{"behind a rewrite", "realtime /rt\n handle_path /deep/* {\n realtime /rt\n }", ""},
	} {
		err := c.Load("http://{{site}} {\n" + test.site + "\n}")
		if test.want == "" && err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
