package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestExitCodes checks what a script sees: 1 for a broken promise, 2 if nothing was checked.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--url", s.URL, "--run", "ping is answered"}, 1, "FAILED"},
		{[]string{"--url", s.URL, "--run", "a call is answered"}, 0, "needs --method"},
		{[]string{"--url", s.URL, "--run", "with 1012"}, 0, "needs --drain"},
		{[]string{"--url", s.URL, "--run", "that stops"}, 0, "needs --stop"},
		{[]string{"--url", s.URL, "--run", "stays for the grace"}, 0, "needs --grace"},
		{[]string{"--url", s.URL, "--run", "with 4502", "--replace", "true"}, 1, "FAILED"},
		{[]string{"--url", "nowhere"}, 2, "is not an address"},
		{[]string{"--url", "ws://127.0.0.1:1/rt"}, 2, "there is no server at http://127.0.0.1:1/rt"},
		{[]string{"--url", s.URL, "--run", "no such check"}, 2, "no check has a name like"},
		{[]string{"--url", s.URL, "--pattern", "a"}, 2, "does not end with :*"},
		{[]string{"--no-such-flag"}, 2, "no-such-flag"},
		{[]string{"--help"}, 0, "--url"[1:]},
	} {
		var out bytes.Buffer
		if code := run(test.args, &out, &out); code != test.code || !strings.Contains(out.String(), test.says) {
			t.Errorf("%q: exit code %d instead of %d, or no %q in\n%s", test.args, code, test.code, test.says, &out)
		}
	}
}
