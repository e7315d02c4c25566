package caddyhost

import (
	"net/url"
	"testing"
)

func TestBelow(t *testing.T) {
	t.Parallel()
	const no = "-"
	for _, test := range []struct{ base, path, want string }{
		{"/rt", "/rt", ""},
		{"/rt", "/rt/", ""},
		{"/rt", "/rt/publish", "/publish"},
		{"/rt", "/RT/Publish", "/Publish"},
		{"/rt", "/rt/channels/a%2Fb/messages", "/channels/a%2Fb/messages"},
		{"/rt", "/%72t/channels/a%2Fb/messages", "/channels/a%2Fb/messages"},
		{"/a/b", "/a/b/c", "/c"},
		{"/a/b", "/a%2Fb/c%2Fd", "/c%2Fd"},
		{"/é", "/%C3%A9/x%2F", "/x%2F"},
		{"/", "/", ""},
		{"/", "/publish", "/publish"},
		{"/rt", "/rtx", no},
		{"/rt", "/r", no},
		{"/rt", "/", no},
		{"/rt", "/other/rt", no},
		{"/rt", "/rt%2Fpublish", no},
		{"/rt", "/rt/..%2Fpublish", no},
		{"/rt", "/rt/%2e%2e/publish", no},
		{"/rt", "/x/../rt/publish", no},
		{"/rt", "//rt/publish", no},
		{"/rt", "/rt/../rt/publish", "/../rt/publish"},
	} {
		u, err := url.Parse("http://site.example" + test.path)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := Below(test.base, u)
		if !ok {
			got = no
		}
		if got != test.want {
			t.Errorf("%s below %s: %q, not %q", test.path, test.base, got, test.want)
		}
	}
}
