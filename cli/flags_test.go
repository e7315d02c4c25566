package cli

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Flags that would have no effect are errors, before anything is sent.
func TestUselessFlags(t *testing.T) {
	server := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s %s was sent", r.Method, r.URL) })
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"stats", "--hub", "chat", "--url", "http://localhost/rt"}, "--hub has no effect with --url"},
		{[]string{"stats", "--address", "localhost:2020", "--url", "http://localhost/rt"}, "--address has no effect with --url"},
		{[]string{"stats", "--key-file", "key"}, "--key-file has no effect without --url"},
		{[]string{"user", "ann", "--revocations"}, "--revocations has no effect without --forget"},
		{[]string{"drain", "--all", "--hub", "chat"}, "--hub has no effect with --all"},
		{[]string{"follow", "ann", "--end", "--for", "1m"}, "--for has no effect with --end"},
		{[]string{"doctor", "--origin", "https://example.com"}, "--origin has no effect without --site"},
		{[]string{"doctor", "--hub", "chat"}, "--hub has no effect: doctor looks at all hubs"},
	} {
		_, notes, code := call(t, server, c.args...)
		if code != exitFailed || !strings.Contains(notes, "Error: "+c.want) {
			t.Errorf("%q: exit %d, notes: %s", c.args, code, notes)
		}
	}
}

// Errors name the flags that the user knows, not the words of the HTTP API.
func TestErrorsNameFlags(t *testing.T) {
	for _, c := range []struct {
		detail string
		args   []string
		want   string
	}{
		{"the parameter sort is \\\"x\\\"; it must be queue or age", []string{"connections", "--sort", "x"}, `--sort is "x"; it must be`},
		{"the parameter address is \\\"x\\\"; it must be an address", []string{"connections", "--from", "x"}, `--from is "x"; it must be`},
		{"the field \\\"seconds\\\" must be 0 to 3600", []string{"follow", "ann", "--for", "2h"}, "--for must be 0 to"},
		{"end another follow with \\\"seconds\\\": 0", []string{"follow", "ann"}, "end another follow with --end"},
		{"the parameter action: what", []string{"explain", "c", "--action", "x"}, "--action: what"},
		{"the field \\\"content\\\" is missing", []string{"publish", "c", "1"}, `the field "content" is missing`},
	} {
		server := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"status":400,"code":"INVALID_MESSAGE","detail":"`+c.detail+`"}`)
		})
		if _, notes, code := call(t, server, c.args...); code != exitFailed || !strings.Contains(notes, c.want) {
			t.Errorf("%q: exit %d, notes: %s", c.args, code, notes)
		}
	}
}

// Without a key the site's 401 comes with where a key is taken from. With one, or where no key is taken, it does not.
func TestUnauthorized(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	defer server.Close()
	const hint = "No API key was sent. Set REALTIME_API_KEY, or name a file that has the key with --key-file."
	for _, c := range []struct {
		key  string
		args []string
		want bool
	}{
		{"", []string{"publish", "c", "1", "--url", server.URL}, true},
		{"wrong", []string{"publish", "c", "1", "--url", server.URL}, false},
		{"", []string{"publish", "c", "1"}, false},
	} {
		t.Setenv("REALTIME_API_KEY", c.key)
		if _, notes, code := callAt(t, server.URL, c.args...); code != exitFailed || strings.Contains(notes, hint) != c.want {
			t.Errorf("%q with key %q: exit %d, notes: %s", c.args, c.key, code, notes)
		}
	}
}

func TestNoCommand(t *testing.T) {
	for word, want := range map[string]string{
		"chanels": `unknown command "chanels"; did you mean 'channels'?`,
		"zzzzzzz": `unknown command "zzzzzzz"`,
	} {
		if _, notes, code := call(t, http.NotFoundHandler(), word); code != exitFailed || !strings.Contains(notes, want+"\n") {
			t.Errorf("%s: exit %d, notes: %s", word, code, notes)
		}
	}
}

// A command with too few or too many arguments says how it is written.
func TestArguments(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"tail"}, "takes one argument or more and has 0; it is written: realtime tail <channel>"},
		{[]string{"publish"}, "takes one or two arguments and has 0; it is written: realtime publish <channel>"},
		{[]string{"publish", "a", "b", "c"}, "takes one or two arguments and has 3; it is written: realtime publish <channel>"},
		{[]string{"user"}, "takes one argument and has 0; it is written: realtime user <user>"},
		{[]string{"explain", "a", "b"}, "takes one argument and has 2; it is written: realtime explain <channel or pattern>"},
		{[]string{"stats", "x"}, "takes no argument and has 1; it is written: realtime stats"},
		{[]string{"doctor", "x"}, "takes no argument and has 1; it is written: realtime doctor"},
		{[]string{"connections", "x"}, "takes no argument and has 1; it is written: realtime connections"},
		{[]string{"bench", "x"}, "takes no argument and has 1; it is written: realtime bench"},
		{[]string{"channels", "a", "b"}, "takes at most one argument and has 2; it is written: realtime channels [<prefix>]"},
		{[]string{"kick", "a", "b"}, "takes at most one argument and has 2; it is written: realtime kick"},
		{[]string{"follow", "a", "b"}, "takes at most one argument and has 2; it is written: realtime follow"},
		{[]string{"drain", "1s", "b"}, "takes at most one argument and has 2; it is written: realtime drain"},
	} {
		if _, notes, code := call(t, http.NotFoundHandler(), c.args...); code != exitFailed || !strings.Contains(notes, c.want) {
			t.Errorf("%q: exit %d, notes: %s", c.args, code, notes)
		}
	}
}
