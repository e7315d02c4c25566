package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// exit is the error of a fake program that ends with a code.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// call runs a command line against a server that has the admin endpoint.
func call(t *testing.T, h http.Handler, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	return callAt(t, server.URL, args...)
}

func callAt(t *testing.T, base string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	client := &http.Client{Transport: new(http.Transport)}
	defer client.CloseIdleConnections()
	root := &cobra.Command{Use: "realtime"}
	Add(root, Host{
		Admin: func(string) (*http.Client, string, error) { return client, base, nil },
		Exit:  func(_ *cobra.Command, code int) error { return exit(code) },
	})
	var out, notes bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&notes)
	root.SetArgs(args)
	err := root.Execute()
	var e exit
	switch {
	case errors.As(err, &e):
		code = int(e)
	case err != nil:
		code = exitFailed
	}
	return out.String(), notes.String(), code
}

// answers is a server that gives each path an answer.
func answers(byPath map[string]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := byPath[r.Method+" "+r.URL.RequestURI()]
		if !ok {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"status":404,"code":"NOT_FOUND","detail":"nothing at `+r.URL.Path+`"}`)
			return
		}
		_, _ = io.WriteString(w, text)
	})
}

func TestChannelsReadsPages(t *testing.T) {
	server := answers(map[string]string{
		"GET /realtime/hubs/default/channels?limit=1000&prefix=chat%3A":         `{"channels":[{"channel":"chat:1","connections":3,"members":2}],"more":true,"next":"n1","nodes":2}`,
		"GET /realtime/hubs/default/channels?after=n1&limit=999&prefix=chat%3A": `{"channels":[{"channel":"chat:2","connections":1,"document":{"version":4,"bytes":2048}}],"more":false,"nodes":2,"missing":1,"partial":true}`,
	})
	out, notes, code := call(t, server, "channels", "chat:", "--limit", "1000")
	for _, want := range []string{"chat:1   3            2        -", "chat:2   1            -        version 4, 2.0KiB"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	if code != 0 || !strings.Contains(notes, "2 nodes answered, 1 did not") {
		t.Errorf("exit %d, notes: %s", code, notes)
	}
}

func TestExitCodes(t *testing.T) {
	server := answers(map[string]string{
		"GET /realtime/hubs/default/users/ann":                                        `{"online":false,"connections":[]}`,
		"GET /realtime/hubs/default/explain?action=publish&channel=chat%3A1&user=ann": `{"allowed":false,"code":"FORBIDDEN","message":"no","text":"ann may not publish"}`,
	})
	for _, c := range []struct {
		args []string
		code int
		want string // in either output
	}{
		{[]string{"user", "ann"}, exitNo, "ann is offline"},
		{[]string{"explain", "chat:1", "--action", "publish", "--user", "ann"}, exitNo, "ann may not publish"},
		{[]string{"channels"}, exitFailed, "404 Not Found (NOT_FOUND): nothing at"},
		{[]string{"kick"}, exitFailed, "either a user, or a connection"},
		{[]string{"kick", "ann", "--connection", "c1"}, exitFailed, "either a user, or a connection"},
		{[]string{"channels", "--url", "example.com"}, exitFailed, "--url: example.com is not the address of an endpoint"},
		{[]string{"channels", "--url", "http://example.com/rt?x=1"}, exitFailed, "--url: leave out what follows the path in http://example.com/rt?x=1"},
		{[]string{"drain", "soon"}, exitFailed, "a duration such as 30s"},
		{[]string{"drain", "--url", "http://localhost"}, exitFailed, "needs Caddy's admin endpoint"},
		{[]string{"bench", "--channel", "c"}, exitFailed, "--url is missing"},
		{[]string{"bench", "--channel", "c", "--url", "http://localhost", "--connections", "0"}, exitFailed, "--connections"},
		{[]string{"drain", "--status"}, exitFailed, "404"},
		{[]string{"nonsense"}, exitFailed, "unknown command"},
	} {
		out, notes, code := call(t, server, c.args...)
		if code != c.code || !strings.Contains(out+notes, c.want) {
			t.Errorf("%q: exit %d instead of %d:\n%s%s", c.args, code, c.code, out, notes)
		}
	}
	empty := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}) // a site of another kind
	for _, args := range [][]string{{"publish", "c", "1"}, {"kick", "ann"}, {"stats"}, {"user", "ann"}, {"explain", "c"}, {"channels"}, {"tail", "c"}} {
		if out, notes, code := call(t, empty, args...); code != exitFailed || !strings.Contains(notes, "endpoint?") {
			t.Errorf("%q: exit %d for an empty answer:\n%s%s", args, code, out, notes)
		}
	}
	_, notes, code := callAt(t, "http://127.0.0.1:1", "channels")
	if code != exitUnreachable || !strings.Contains(notes, "Is Caddy running here") {
		t.Errorf("exit %d without a server: %s", code, notes)
	}
}

func TestNamesAreEscapedInPaths(t *testing.T) {
	var got string
	server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Method + " " + r.URL.EscapedPath() + "?" + r.URL.RawQuery
		_, _ = io.WriteString(w, `{"connections":1}`)
	})
	if _, notes, code := call(t, server, "kick", "a/b?c", "--reason", "x&y", "--code", "4100"); code != 0 {
		t.Fatal(notes)
	}
	if want := "DELETE /realtime/hubs/default/users/a%2Fb%3Fc/connections?code=4100&reason=x%26y"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestKeyIsSentToSiteAlone(t *testing.T) {
	t.Setenv(keyVariable, "s3cret")
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.URL.Path+" "+r.Header.Get("Authorization"))
		_, _ = io.WriteString(w, `{"channels":[]}`)
	}))
	defer server.Close()
	callAt(t, server.URL, "channels")
	callAt(t, server.URL, "channels", "--url", server.URL+"/rt")
	http.DefaultClient.CloseIdleConnections()
	if len(got) != 2 || got[0] != "/realtime/hubs/default/channels " || got[1] != "/rt/channels Bearer s3cret" {
		t.Errorf("%q", got)
	}
}

func TestContent(t *testing.T) {
	for _, c := range []struct {
		args []string
		in   string
		text bool
		want string
	}{
		{[]string{`{"a":1}`}, "", false, `{"a":1}`},
		{[]string{"hello"}, "", false, `"hello"`},
		{[]string{"42"}, "", false, `42`},
		{[]string{"42"}, "", true, `"42"`},
		{nil, "two words\n", false, `"two words"`},
		{[]string{"-"}, `[1]`, false, `[1]`},
	} {
		got, err := content(c.args, strings.NewReader(c.in), c.text)
		if err != nil || string(got) != c.want {
			t.Errorf("%q, %q: %s, %v", c.args, c.in, got, err)
		}
	}
	if _, err := content(nil, strings.NewReader(""), false); err == nil {
		t.Error("nothing is a content")
	}
}

func TestTerminalGetsNoControlCharacters(t *testing.T) {
	for in, want := range map[string]string{
		"ann": "ann", "Zoë 日本": "Zoë 日本", "a\x1b[2Jb": `a\x1b[2Jb`, "a\u202eb": `a\u202eb`, "a\u009bb": `a\u009bb`,
	} {
		if got := plain(in); got != want {
			t.Errorf("%q: %q instead of %q", in, got, want)
		}
	}
	var out bytes.Buffer
	line := `{"type":"message","timestamp":1767225600000,"payload":{"channel":"c","offset":7,"sender":"e` + `\u001b[31mve","content":"x` + "\u202e" + `y"}}`
	if err := show(&printer{Writer: &out, notes: io.Discard}, []byte(line)); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); strings.ContainsAny(s, "\x1b\u202e") || !strings.Contains(s, "#7") {
		t.Errorf("%q", s)
	}
}

func TestHistogram(t *testing.T) {
	var h, other histogram
	for i := 1; i <= 1000; i++ {
		h.add(time.Duration(i) * time.Millisecond)
	}
	for q, want := range map[float64]time.Duration{.5: 500 * time.Millisecond, .99: 990 * time.Millisecond, 1: time.Second} {
		if got := h.quantile(q); got < want || float64(got) > float64(want)*1.1 {
			t.Errorf("quantile %v is %v instead of %v", q, got, want)
		}
	}
	other.add(0)
	other.add(100 * time.Hour)
	h.merge(&other)
	if h.total != 1002 || h.quantile(1) != 100*time.Hour || h.quantile(0.0001) != time.Microsecond {
		t.Errorf("%d, %v, %v", h.total, h.quantile(1), h.quantile(0.0001))
	}
	if (&histogram{}).quantile(.5) != 0 {
		t.Error("nothing has a quantile")
	}
}

func TestDescriptors(t *testing.T) {
	open, most := descriptors(strings.NewReader("# HELP process_max_fds x\nprocess_max_fds 1.024e+03\nprocess_open_fds 900\n"))
	if open != 900 || most != 1024 {
		t.Errorf("%v of %v", open, most)
	}
}

func TestSurvey(t *testing.T) {
	for config, want := range map[string]string{
		`{}`: "no route",
		`{"apps":{"http":{"routes":[{"handle":[{"handler":"realtime"}]}]}}}`:                                       "no room blocks",
		`[{"handler":"realtime","path":"/rt","origins":["*"],"hub_config":{"rooms":[{}]}}]`:                        "no route has an API key",
		`[{"handler":"realtime","api_keys":["x"]},{"hubs":{"a":{"rooms":[{},{}]}}}]`:                               "1 routes, 2 room blocks, 1 API keys",
		`[{"handler":"realtime","path":"/rt","origins":["*"],"scoped_api_keys":[{}],"hub_config":{"rooms":[{}]}}]`: "pages of any origin may use /rt",
	} {
		var v any
		if err := json.Unmarshal([]byte(config), &v); err != nil {
			t.Fatal(err)
		}
		var s survey
		s.look(v)
		if text := fmt.Sprint(s.findings()); !strings.Contains(text, want) {
			t.Errorf("%s: %s", config, text)
		}
	}
}

func TestTailFollowsOverBreak(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	streams := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		streams++
		w.Header().Set("Content-Type", "application/x-ndjson")
		fmt.Fprintf(w, `{"type":"message","timestamp":1,"payload":{"channel":"c","content":%d}}`+"\n", streams)
		if streams == 2 {
			stop()
		}
	}))
	defer server.Close()
	client := &http.Client{Transport: new(http.Transport)}
	defer client.CloseIdleConnections()
	var out, notes bytes.Buffer
	err := follow(ctx, &site{client: client, base: server.URL}, &printer{Writer: &out, notes: &notes}, []string{"c"}, 0)
	if !errors.Is(err, context.Canceled) || !strings.Contains(out.String(), "-  1\n") || !strings.Contains(notes.String(), "connecting again") {
		t.Errorf("%v: %s%s", err, out.String(), notes.String())
	}
}

// A site behind a sign-in answers 401 before its endpoint is reached. That is not wrong, and the address is right.
func TestDoctorBehindASignIn(t *testing.T) {
	t.Parallel()
	signIn := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/realtime/hubs":
			_, _ = io.WriteString(w, `{"hubs":[{"hub":"default","backend":"memory","ready":true}]}`)
		case "/config/":
			_, _ = io.WriteString(w, `{"handler":"realtime","api_keys":["x"],"rooms":[{}]}`)
		case "/metrics":
		default:
			w.Header().Set("WWW-Authenticate", `Basic realm="restricted"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	server := httptest.NewServer(signIn)
	defer server.Close()
	out, notes, code := callAt(t, server.URL, "doctor", "--site", server.URL+"/rt", "--origin", "http://evil.example")
	if code != 0 || strings.Count(out, "asks for a sign-in") != 3 || strings.Count(out, "pages of http://evil.example") != 3 || !strings.Contains(out, "401, Basic") || strings.Contains(out, "is --site") {
		t.Errorf("code %d\n%s%s", code, out, notes)
	}
}
