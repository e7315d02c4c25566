package protocol

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

func TestCursor(t *testing.T) {
	t.Parallel()
	var c Cursor
	if text := AppendCursor(nil, &c); len(text) > 0 || c.Len() != 0 {
		t.Errorf("the empty cursor is %q", text)
	}
	c.Set("chat:42", plain)
	c.Set("doc", hub.Position{Epoch: "e", Offset: 3})
	c.Set("no-history", hub.Position{})
	c.Set("chat:42", position)
	text := string(AppendCursor([]byte("id: "), &c))
	if want := "id: VZleGF~k3v9x2m7~17~9c1f03aa.E51US4~e~3"; text != want {
		t.Fatalf("%s, want %s", text, want)
	}
	got, err := ParseCursor(text[len("id: "):])
	if err != nil || got.Len() != 2 {
		t.Fatal(got, err)
	}
	for channel, want := range map[string]hub.Position{"chat:42": position, "doc": {Epoch: "e", Offset: 3}} {
		if p, ok := got.Position(channel); !ok || p != want {
			t.Errorf("%s: %+v, %t", channel, p, ok)
		}
	}
	if p, ok := got.Position("no-history"); ok {
		t.Errorf("a room without history is at %+v", p)
	}
}

// The tag is part of the protocol: a node must find what another one wrote.
func TestCursorTag(t *testing.T) {
	t.Parallel()
	for _, channel := range []string{"a", "chat:42", "grüße", strings.Repeat("long", 60)} {
		sum := sha256.Sum256([]byte(channel))
		want := base64.RawURLEncoding.EncodeToString(sum[:])[:6]
		if got := tagOf(channel); string(got[:]) != want {
			t.Errorf("%s: %s, want %s", channel, got, want)
		}
	}
}

func TestCursorChanges(t *testing.T) {
	t.Parallel()
	var c Cursor
	c.Set("a", hub.Position{Epoch: "e", Offset: 1})
	text := string(AppendCursor(nil, &c))
	c, err := ParseCursor(text)
	if err != nil {
		t.Fatal(err)
	}
	c.Set("a", hub.Position{Epoch: "e", Offset: 2}) // finds what was parsed
	if got := string(AppendCursor(nil, &c)); got != text[:len(text)-1]+"2" {
		t.Errorf("%s after %s", got, text)
	}
	c.Set("b", position)
	c.Set("a", hub.Position{})
	c.Delete("c")
	if p, ok := c.Position("b"); !ok || p != position || c.Len() != 1 {
		t.Errorf("%+v, %t, %d entries", p, ok, c.Len())
	}
	if c.Delete("b"); c.Len() != 0 {
		t.Errorf("%d entries are left", c.Len())
	}
}

func TestParseCursorRefuses(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		".", "a", "abcdef", "abcdef~e", "abcdef~e~", "abcdef~e~1~", "abcdef~e~1~1", "abcdef~e~1~00000000", "abcdef~e~1~9c1f03aa~", "abcdef~~1",
		"abcde~e~1", "abcdefg~e~1", "abcd=f~e~1", "abcdäf~e~1", "abcdef~e~01", "abcdef~e~-1", "abcdef~e~9007199254740992", "abcdef~e~1.", ".abcdef~e~1",
		"abcdef~e~1..abcdeg~e~1", "abcdef~e~1 ", " abcdef~e~1", "abcdef~e~1\n", "abcdef~e~1.abcdef~f~2", "abcdef~\xff~1",
		strings.Repeat(".", 300), many(257, 1), many(256, 16), strings.Repeat("a", 1<<20),
	} {
		c, err := ParseCursor(s)
		if err == nil || err.Code != InvalidMessage || c.Len() != 0 {
			t.Errorf("%.80q: %d entries, %v", s, c.Len(), err)
			continue
		}
		checkPublic(t, err)
	}
}

// many writes a cursor of n entries with epochs of some length.
func many(n, epoch int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ".%06d~%s~1~9c1f03aa", i, strings.Repeat("e", epoch))
	}
	return b.String()[1:]
}

// However many channels a stream has, its cursor can be read again.
func TestCursorStaysReadable(t *testing.T) {
	t.Parallel()
	for _, p := range []hub.Position{
		{Epoch: "e"}, // many short entries
		{Epoch: strings.Repeat("e", maxEpoch), Offset: maxOffset, Anchor: 1},
	} {
		var c Cursor
		for i := range 2 * MaxCursorEntries {
			c.Set(fmt.Sprint("channel:", i), p)
		}
		text := AppendCursor([]byte("id: "), &c)[len("id: "):]
		got, err := ParseCursor(string(text))
		if err != nil || got.Len() < 150 {
			t.Fatalf("%d entries, %v", got.Len(), err)
		}
		for i := range got.Len() {
			if _, ok := got.Position(fmt.Sprint("channel:", i)); !ok {
				t.Errorf("entry %d is missing among %d", i, got.Len())
			}
		}
	}
	if c, err := ParseCursor(many(256, 8)); err != nil || c.Len() != 256 {
		t.Errorf("%d entries, %v", c.Len(), err)
	}
}

// A cursor may be exactly as long as it is read again. What stands before it does not count.
func TestLongestCursor(t *testing.T) {
	t.Parallel()
	long := func(last uint64) (Cursor, string) {
		var c Cursor
		for i := range MaxCursorEntries - 1 {
			c.Set(fmt.Sprint("channel:", i), hub.Position{Epoch: strings.Repeat("e", maxEpoch), Offset: 1_000_000})
		}
		c.Set("last", hub.Position{Epoch: strings.Repeat("e", maxEpoch), Offset: last})
		return c, strings.TrimPrefix(string(AppendCursor([]byte("id: "), &c)), "id: ")
	}
	c, text := long(10_000_000)
	if len(text) != MaxCursor {
		t.Fatalf("the cursor has %d bytes", len(text))
	}
	if got, err := ParseCursor(text); err != nil || got.Len() != c.Len() {
		t.Errorf("%d entries, %v", got.Len(), err)
	}
	c, text = long(100_000_000)
	if got, err := ParseCursor(text); err != nil || got.Len() != c.Len()-1 {
		t.Errorf("%d entries of one byte too many, %v", got.Len(), err)
	}
}

var cursorForm = regexp.MustCompile(`^[A-Za-z0-9._~-]*$`)

func FuzzParseCursor(f *testing.F) {
	f.Add("")
	f.Add("abcdef~k3v9x2m7~17~9c1f03aa")
	f.Add("abcdef~k3v9x2m7~17.-_0Aaz~A~9007199254740991~00000001")
	f.Add("abcdef~e~1.abcdef~e~1")
	f.Add(many(256, 1))
	f.Add(many(257, 1))
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCursor(s)
		if err != nil {
			checkPublic(t, err)
			return
		}
		if c.Len() > MaxCursorEntries || len(s) > MaxCursor || !cursorForm.MatchString(s) {
			t.Fatalf("accepted %q", s)
		}
		if back := AppendCursor(nil, &c); string(back) != s {
			t.Fatalf("%q came back as %q", s, back)
		}
	})
}

func FuzzCursor(f *testing.F) {
	f.Add("chat:42", "k3v9x2m7", uint64(17), uint32(1))
	f.Add("", "e", uint64(0), uint32(0))
	f.Fuzz(func(t *testing.T, channel, epoch string, offset uint64, anchor uint32) {
		p := hub.Position{Epoch: epoch, Offset: offset % (maxOffset + 1), Anchor: anchor}
		if !validEpoch(epoch) {
			return
		}
		var c Cursor
		c.Set("other", position)
		c.Set(channel, p)
		back, err := ParseCursor(string(AppendCursor(nil, &c)))
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := back.Position(channel); !ok || got != p {
			t.Fatalf("%+v came back as %+v, %t", p, got, ok)
		}
	})
}
