package protocol

import (
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

func TestParsePosition(t *testing.T) {
	t.Parallel()
	type text struct{ epoch, offset, anchor string }
	for in, want := range map[text]hub.Position{
		{"k3v9x2m7", "17", "9c1f03aa"}:        position,
		{"k3v9x2m7", "0", ""}:                 plain,
		{"Z", "9007199254740991", "00000001"}: {Epoch: "Z", Offset: 1<<53 - 1, Anchor: 1},
		{"0123456789abcdef", "1", "ffffffff"}: {Epoch: "0123456789abcdef", Offset: 1, Anchor: 1<<32 - 1},
	} {
		if got, err := ParsePosition(in.epoch, in.offset, in.anchor); err != nil || got != want {
			t.Errorf("%v: %+v, %v", in, got, err)
		}
	}
	for _, in := range []text{
		{"", "1", ""}, {"a~b", "1", ""}, {"a.b", "1", ""}, {"ä", "1", ""}, {"0123456789abcdefg", "1", ""},
		{"e", "", ""}, {"e", "-1", ""}, {"e", "+1", ""}, {"e", "01", ""}, {"e", "1.0", ""}, {"e", "1_0", ""}, {"e", "0x1", ""}, {"e", "9007199254740992", ""}, {"e", "99999999999999999999", ""},
		{"e", "1", "0"}, {"e", "1", "00000000"}, {"e", "1", "9C1F03AA"}, {"e", "1", "9c1f03aab"}, {"e", "1", "+c1f03aa"}, {"e", "1", "9c1f_3aa"},
	} {
		got, err := ParsePosition(in.epoch, in.offset, in.anchor)
		if err == nil || err.Code != InvalidMessage {
			t.Errorf("%v: %+v, %v", in, got, err)
			continue
		}
		checkPublic(t, err)
	}
}

func FuzzAnchor(f *testing.F) {
	for _, a := range []uint32{0, 1, 0x9c1f03aa, 1<<32 - 1} {
		f.Add(a)
	}
	f.Fuzz(func(t *testing.T, anchor uint32) {
		text := AppendAnchor(nil, anchor)
		got, ok := ParseAnchor(string(text))
		if got != anchor || ok != (anchor != 0) || len(text) != anchorLen {
			t.Fatalf("%d: %s came back as %d, %t", anchor, text, got, ok)
		}
	})
}
