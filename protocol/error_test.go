package protocol

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

func TestAsError(t *testing.T) {
	t.Parallel()
	own := Errorf(Forbidden, "not in this room")
	for _, c := range []struct {
		err   error
		code  Code
		retry time.Duration
	}{
		{own, Forbidden, 0},
		{fmt.Errorf("publish: %w", own), Forbidden, 0},
		{hub.ErrKeyReused, Conflict, 0},
		{hub.ErrUnavailable, Unavailable, time.Second},
		{fmt.Errorf("dial 10.0.0.7: %w", hub.ErrUnavailable), Unavailable, time.Second},
		{hub.ErrClosed, Unavailable, time.Second},
		{hub.ErrSubscribed, AlreadySubscribed, 0},
		{context.DeadlineExceeded, Unavailable, time.Second},
		{fmt.Errorf("read: %w", context.Canceled), Unavailable, time.Second},
		{errors.New("password of 10.0.0.7 is wrong"), Internal, 0},
	} {
		got := AsError(c.err)
		if got.Code != c.code || got.RetryAfter != c.retry || got.Message == "" {
			t.Errorf("%v: %+v", c.err, got)
		}
		if strings.Contains(got.Message, "10.0.0.7") {
			t.Errorf("%v: tells too much: %s", c.err, got.Message)
		}
	}
	if got := AsError(nil); got != nil {
		t.Errorf("nil became %v", got)
	}
	if AsError(fmt.Errorf("x: %w", own)) != own {
		t.Error("an error of the protocol was not taken as it is")
	}
}

func TestErrorf(t *testing.T) {
	t.Parallel()
	e := Errorf(TooLarge, "content is larger than %d bytes", 5)
	if e.Status() != 413 || e.Title() != "too large" || e.Error() != "TOO_LARGE: content is larger than 5 bytes" {
		t.Errorf("%d %q %q", e.Status(), e.Title(), e.Error())
	}
}

func TestQuote(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                               `""`,
		"plain":                          `"plain"`,
		"a\r\nb\"c\u202e\x00":            `"a\r\nb\"c\u202e\x00"`,
		"\xff":                           `"\xff"`,
		strings.Repeat("a", 48):          `"` + strings.Repeat("a", 48) + `"`,
		strings.Repeat("a", 49):          `"` + strings.Repeat("a", 48) + `"…`,
		"a" + strings.Repeat("ä", 30):    `"a` + strings.Repeat("ä", 23) + `"…`,
		"ab" + strings.Repeat("世", 30):   `"ab` + strings.Repeat("世", 15) + `"…`,
		strings.Repeat("\x80", 100)[:50]: `"` + strings.Repeat(`\x80`, 44) + `"…`,
	} {
		if got := Quote(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func FuzzQuote(f *testing.F) {
	for _, s := range strs {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		checkPublic(t, Errorf(InvalidMessage, "%s", Quote(s)))
	})
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":              "",
		"a b'\"\\":      "a b'\"\\",
		"\n\x00\u202e":  `\n\x00…`,
		"1234567890123": "1234567890…",
		"123456789012":  "1234567890…",
		"1234567890":    "1234567890",
		"ääääää":        "äääää…",
	} {
		if got := Printable(in, 10); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
