package protocol

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestValidChannel(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"a", "chat:42", "a b", "grüße", "日本", "😀", "a/b#c?d"[:5], "$", "~.-_@", "...", ".a", "a:..", "../..", `'"<>&`, "\u00ad", strings.Repeat("a", 255), "a\u00a0b",
	} {
		if err := ValidChannel(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	bad := []string{
		"", ".", "..", " ", " a", "a ", "\u3000a", "a\u00a0", strings.Repeat("a", 256), strings.Repeat("ä", 128), "\xff", "\x80", "a\xc3", "\xed\xa0\x80",
		"a*", "a?", "[", "]", "{user}", "}", `a\b`,
		"\x00", "a\nb", "\r", "a\tb", "\x1f", "\x7f", "a\u0080", "a\u0085b", "a\u009f", "a\u2028b", "\u2029",
		"a\u061cb", "a\u200eb", "a\u200fb", "a\u202ab", "a\u202eb", "a\u2066b", "a\u2069b",
	}
	for _, name := range bad {
		err := ValidChannel(name)
		if err == nil || err.Code != InvalidChannel {
			t.Errorf("%q: %v", name, err)
			continue
		}
		checkPublic(t, err)
	}
}

func TestIsPattern(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"*": true, "*:a": true, "a:*": true, "a": false, "": false} {
		if IsPattern(name) != want {
			t.Errorf("%q: %t", name, !want)
		}
	}
}

func TestValidEvent(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "message", "typing", "Error", "gap2", "a b", "grüße", strings.Repeat("e", 64)} {
		if err := ValidEvent(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{
		strings.Repeat("e", 65), "a\nb", "a\rb", "\x00", "\u0085", "\u2028", "\u202e", "\xff",
		"connected", "subscribed", "gap", "error", "presence", "open", "change-rejected",
	} {
		err := ValidEvent(name)
		if err == nil || err.Code != InvalidMessage {
			t.Errorf("%q: %v", name, err)
			continue
		}
		checkPublic(t, err)
	}
}

func TestValidKey(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"k", " ", "~", "a/b:c", strings.Repeat("k", 64)} {
		if err := ValidKey(key); err != nil {
			t.Errorf("%q: %v", key, err)
		}
	}
	for _, key := range []string{"", strings.Repeat("k", 65), "ä", "a\nb", "\x7f", "\x1f"} {
		err := ValidKey(key)
		if err == nil || err.Code != InvalidMessage {
			t.Errorf("%q: %v", key, err)
			continue
		}
		checkPublic(t, err)
	}
}

func FuzzValidChannel(f *testing.F) {
	for _, s := range strs {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if err := ValidChannel(name); err != nil {
			checkPublic(t, err)
			return
		}
		if name != strings.TrimSpace(name) || !utf8.ValidString(name) || len(name) > 255 || strings.ContainsFunc(name, unicode.IsControl) {
			t.Fatalf("accepted %q", name)
		}
		// What is accepted means nothing in patterns, logs and header lines.
		if strings.ContainsAny(name, "*?[]{}\\\u2028\u2029") || strings.ContainsFunc(name, func(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) }) {
			t.Fatalf("accepted %q", name)
		}
	})
}

func TestInvisibleCoversBidiControls(t *testing.T) {
	t.Parallel()
	for r := rune(0); r <= unicode.MaxRune; r++ {
		want := unicode.Is(unicode.Bidi_Control, r) || unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
		if isInvisible(r) != want {
			t.Error(fmt.Sprintf("%U: %t", r, !want))
		}
	}
}
