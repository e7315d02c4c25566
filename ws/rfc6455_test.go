package ws_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Conformance to RFC 6455, by the numbers of Autobahn's cases. That suite wants an
// echo, which this server is not: where Autobahn expects its text back, these rows
// send a command and expect its answer, or the error for text that is no command.
//
// Not here: 1.2.x and 5.x with binary messages, which are refused with 1003; the
// rest of 6.x and 7.x that only repeats one of these with another echo; 7.1.6, which
// is about 256 KiB of text, more than the limit; 9.x, which measures; 12.x and
// 13.x, about compression, which deflate_test.go tests.

const (
	ask   = `{"type":"ping"}`
	greek = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5" // κόσμε
)

// rfcCase sends frames, and then a close with 1000.
type rfcCase struct {
	number string // of Autobahn, empty for a rule that it does not test
	name   string
	frames []byte
	want   string // what comes back, up to the code of the close frame
}

// piece is a client's frame with any first byte.
func piece(head byte, payload string) []byte { return frame{head, true, []byte(payload)}.encode() }

// padded is a command of n bytes.
func padded(n int) []byte { return text(ask + strings.Repeat(" ", n-len(ask))) }

// apart is a text message in fragments.
func apart(parts ...string) (b []byte) {
	for i, p := range parts {
		head := byte(opContinue)
		if i == 0 {
			head = opText
		}
		if i == len(parts)-1 {
			head |= fin
		}
		b = append(b, piece(head, p)...)
	}
	return b
}

func rfcCases() []rfcCase {
	return slices.Concat(rfcMessages(), rfcPings(), rfcReserved(), rfcFragments(), rfcTexts(), rfcCloses(), rfcLengths())
}

func rfcMessages() (rows []rfcCase) {
	rows = append(rows, rfcCase{"1.1.1", "an empty text", text(""), "error, closed 1000"})
	for i, n := range []int{125, 126, 127, 128, 65535, 65536} {
		rows = append(rows, rfcCase{fmt.Sprintf("1.1.%d", i+2), fmt.Sprintf("a text of %d bytes", n), padded(n), "pong, closed 1000"})
	}
	return append(rows,
		rfcCase{"1.2.1", "an empty binary message", control(opBinary, ""), "closed 1003"},
		rfcCase{"1.2.2", "a binary message", control(opBinary, strings.Repeat("\xfe", 125)), "closed 1003"})
}

func rfcPings() []rfcCase {
	ten := func() (b []byte, want string) {
		for i := range 10 {
			p := fmt.Sprint("payload-", i)
			b, want = append(b, control(opPing, p)...), want+"PONG "+p+", "
		}
		return b, want + "closed 1000"
	}
	tenPings, tenPongs := ten()
	long := strings.Repeat("\xfe", 125)
	return []rfcCase{
		{"2.1", "a ping without a payload", control(opPing, ""), "PONG , closed 1000"},
		{"2.2", "a ping with text", control(opPing, "Hello, world!"), "PONG Hello, world!, closed 1000"},
		{"2.3", "a ping with bytes that are no text", control(opPing, "\x00\xff\xfe\xfd\xfc\xfb\x00\xff"), "PONG \x00\xff\xfe\xfd\xfc\xfb\x00\xff, closed 1000"},
		{"2.4", "a ping of 125 bytes", control(opPing, long), "PONG " + long + ", closed 1000"},
		{"2.5", "a ping of 126 bytes", control(opPing, long+"\xfe"), "closed 1002"},
		{"2.7", "a pong without a payload that nobody asked for", control(opPong, ""), "closed 1000"},
		{"2.8", "a pong with a payload that nobody asked for", control(opPong, "unsolicited"), "closed 1000"},
		{"2.9", "a pong that nobody asked for, and a ping", append(control(opPong, "x"), control(opPing, "ping")...), "PONG ping, closed 1000"},
		{"2.10", "ten pings", tenPings, tenPongs},
	}
}

func rfcReserved() (rows []rfcCase) {
	rows = []rfcCase{
		{"3.1", "RSV3", piece(fin|0x10|opText, ask), "closed 1002"},
		{"3.2", "a text, then RSV2", append(text(ask), piece(fin|0x20|opText, ask)...), "pong, closed 1002"},
		{"3.4", "a text, then RSV1", append(text(ask), piece(fin|0x40|opText, ask)...), "pong, closed 1002"},
		{"3.5", "RSV1 and RSV3 in a binary message", piece(fin|0x50|opBinary, "\x00"), "closed 1002"},
		{"3.6", "RSV1 and RSV2 in a ping", piece(fin|0x60|opPing, "x"), "closed 1002"},
		{"3.7", "all of RSV in a close", piece(fin|0x70|opClose, ""), "closed 1002"},
		{"", "RSV1 in a continuation", append(piece(opText, ask), piece(fin|0x40|opContinue, "")...), "closed 1002"},
	}
	for i, op := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		frames := append(text(ask), control(op, "x")...)
		rows = append(rows, rfcCase{fmt.Sprintf("4.%d.%d", 1+i/5, 1+i%5), fmt.Sprintf("opcode %d", op), frames, "pong, closed 1002"})
	}
	return append(rows, rfcCase{"", "a frame without a mask", frame{fin | opText, false, []byte(ask)}.encode(), "closed 1002"},
		rfcCase{"", "a ping without a mask", frame{fin | opPing, false, nil}.encode(), "closed 1002"})
}

func rfcFragments() []rfcCase {
	stray := func(head byte) []byte { return slices.Concat(piece(head, "stray"), text(ask)) }
	begun, ended := piece(opText, ask[:5]), piece(fin|opContinue, ask[5:])
	return []rfcCase{
		{"5.1", "a ping in two fragments", append(piece(opPing, "a"), piece(fin|opContinue, "b")...), "closed 1002"},
		{"5.2", "a pong in two fragments", append(piece(opPong, "a"), piece(fin|opContinue, "b")...), "closed 1002"},
		{"5.3", "a text in two fragments", apart(ask[:5], ask[5:]), "pong, closed 1000"},
		{"5.6", "a ping between fragments", slices.Concat(begun, control(opPing, "x"), ended), "PONG x, pong, closed 1000"},
		{"5.9", "a continuation of nothing with FIN", stray(fin | opContinue), "closed 1002"},
		{"5.12", "a continuation of nothing without FIN", stray(opContinue), "closed 1002"},
		{"5.15", "a continuation behind a message", slices.Concat(begun, ended, piece(opContinue, "x"), text(ask)), "pong, closed 1002"},
		{"5.18", "a text within a text", slices.Concat(begun, text(ask)), "closed 1002"},
		{"", "a binary message within a text", slices.Concat(begun, control(opBinary, "x")), "closed 1002"},
		{"5.19", "pings between five fragments", slices.Concat(piece(opText, ask[:2]), piece(opContinue, ask[2:4]), control(opPing, "1"),
			piece(opContinue, ask[4:6]), piece(opContinue, ask[6:8]), control(opPing, "2"), piece(fin|opContinue, ask[8:])), "PONG 1, PONG 2, pong, closed 1000"},
		{"", "a close between fragments", slices.Concat(begun, closing(1000, "")), "closed 1000"},
	}
}

func rfcTexts() []rfcCase {
	rows := []rfcCase{
		{"6.1.1", "an empty text", text(""), "error, closed 1000"},
		{"6.1.2", "three empty fragments", apart("", "", ""), "error, closed 1000"},
		{"6.1.3", "two empty fragments around a text", apart("", ask, ""), "pong, closed 1000"},
		{"6.2.1", "text in UTF-8", text(`{"type":"ping","id":"` + greek + `"}`), "pong, closed 1000"},
		{"6.2.3", "text in UTF-8, a fragment for each byte", apart(strings.Split(`{"type":"ping","id":"`+greek+`"}`, "")...), "pong, closed 1000"},
		{"", "a character over two fragments", apart(`{"type":"ping","id":"`+greek[:1], greek[1:]+`"}`), "pong, closed 1000"},
		{"6.3.1", "text with a surrogate", text(greek + "\xed\xa0\x80edited"), "closed 1007"},
		{"6.4.1", "text beyond the last character, over three fragments", apart(greek, "\xf4\x90\x80\x80", "edited"), "closed 1007"},
		{"6.4.2", "and cut within the bad character", apart(greek+"\xf4", "\x90", "\x80\x80edited"), "closed 1007"},
		{"", "bad text that is JSON", text("{\"type\":\"ping\",\"id\":\"\xff\"}"), "closed 1007"},
	}
	for _, c := range []struct {
		number, text string
		good         bool
	}{
		{"6.6.1", greek[:1], false}, {"6.6.2", greek[:2], true}, {"6.6.3", greek[:3], false}, {"6.6.4", greek[:4], false}, {"6.6.5", greek[:5], true},
		{"6.7.1", "\x00", true}, {"6.7.4", "\xf0\x90\x80\x80", true}, {"6.8.1", "\xf8\x88\x80\x80\x80", false},
		{"6.9.3", "\xef\xbf\xbf", true}, {"6.10.1", "\xf7\xbf\xbf\xbf", false}, {"6.11.1", "\xed\x9f\xbf", true}, {"6.11.5", "\xf4\x90\x80\x80", false},
		{"6.12.1", "\x80", false}, {"6.14.6", "\xdf", false}, {"6.16.1", "\xfe", false}, {"6.17.1", "\xc0\xaf", false}, {"6.18.1", "\xc1\xbf", false},
		{"6.19.1", "\xc0\x80", false}, {"6.20.1", "\xed\xa0\x80", false}, {"6.21.1", "\xed\xa0\x80\xed\xb0\x80", false}, {"6.22.1", "\xef\xbf\xbe", true},
	} {
		want := "closed 1007"
		if c.good {
			want = "error, closed 1000" // text, but no command
		}
		rows = append(rows, rfcCase{c.number, fmt.Sprintf("text %q", c.text), text(c.text), want})
	}
	return rows
}

func rfcCloses() []rfcCase {
	rows := []rfcCase{
		{"7.1.1", "a text and a close", append(text(ask), closing(1000, "")...), "pong, closed 1000"},
		{"7.1.2", "two closes", append(closing(1000, ""), closing(1000, "")...), "closed 1000"},
		{"7.1.3", "a ping after the close", append(closing(1000, ""), control(opPing, "x")...), "closed 1000"},
		{"7.1.4", "a text after the close", append(closing(1000, ""), text(ask)...), "closed 1000"},
		{"7.1.5", "a close within a message", slices.Concat(piece(opText, ask[:5]), closing(1000, ""), piece(fin|opContinue, ask[5:])), "closed 1000"},
		{"7.3.1", "a close without a payload", control(opClose, ""), "closed 1000"},
		{"7.3.2", "a close of one byte", control(opClose, "a"), "closed 1002"},
		{"7.3.3", "a close with a code", closing(1000, ""), "closed 1000"},
		{"7.3.4", "a close with a reason", closing(1000, "Hello, world!"), "closed 1000"},
		{"7.3.5", "a close with the longest reason", closing(1000, strings.Repeat("*", 123)), "closed 1000"},
		{"7.3.6", "a close with a reason that is too long", closing(1000, strings.Repeat("*", 124)), "closed 1002"},
		// Autobahn takes 1002 or 1007.
		{"7.5.1", "a close with a reason that is not UTF-8", closing(1000, greek+"\xed\xa0\x80edited"), "closed 1007"},
	}
	for i, code := range []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		rows = append(rows, rfcCase{fmt.Sprintf("7.7.%d", i+1), fmt.Sprint("a close with code ", code), closing(code, ""), fmt.Sprint("closed ", code)})
	}
	for _, code := range []uint16{1012, 1013, 1014} { // registered with IANA since
		rows = append(rows, rfcCase{"", fmt.Sprint("a close with code ", code), closing(code, ""), fmt.Sprint("closed ", code)})
	}
	for i, code := range []uint16{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999} {
		rows = append(rows, rfcCase{fmt.Sprintf("7.9.%d", i+1), fmt.Sprint("a close with code ", code), closing(code, ""), "closed 1002"})
	}
	return append(rows,
		rfcCase{"", "a close with code 1015", closing(1015, ""), "closed 1002"},
		rfcCase{"7.13.1", "a close with code 5000", closing(5000, ""), "closed 1002"},
		rfcCase{"7.13.2", "a close with code 65535", closing(65535, ""), "closed 1002"})
}

// rfcLengths are rules of section 5.2 that Autobahn does not test.
func rfcLengths() []rfcCase {
	short := append([]byte{fin | opText, 0x80 | 126, 0, byte(len(ask)), 0, 0, 0, 0}, ask...)
	middle := append(binary.BigEndian.AppendUint64([]byte{fin | opText, 0x80 | 127}, 200), 0, 0, 0, 0)
	return []rfcCase{
		{"", "a short length in two bytes", short, "closed 1002"},
		{"", "125 in two bytes", append([]byte{fin | opText, 0x80 | 126, 0, 125, 0, 0, 0, 0}, strings.Repeat(" ", 125)...), "closed 1002"},
		{"", "a length of two bytes in eight", append(middle, strings.Repeat(" ", 200)...), "closed 1002"},
		{"", "65,535 in eight bytes", append(binary.BigEndian.AppendUint64([]byte{fin | opText, 0x80 | 127}, 65535), 0, 0, 0, 0), "closed 1002"},
		{"", "a length with its first bit set", binary.BigEndian.AppendUint64([]byte{fin | opText, 0x80 | 127}, 1<<63|5), "closed 1002"},
		{"", "a ping with its length in two bytes", []byte{fin | opPing, 0x80 | 126, 0, 1, 0, 0, 0, 0, 'x'}, "closed 1002"},
	}
}

// outcome is what comes back, up to the close.
func (w *wire) outcome() string {
	var list []string
	for {
		f, err := w.frame()
		if err != nil {
			return strings.Join(append(list, err.Error()), ", ")
		}
		switch f.head {
		case fin | opPong:
			list = append(list, "PONG "+string(f.payload))
		case fin | opClose:
			return strings.Join(append(list, fmt.Sprint("closed ", binary.BigEndian.Uint16(f.payload))), ", ")
		case fin | opText:
			kind, _, _ := strings.Cut(strings.TrimPrefix(string(f.payload), `{"type":"`), `"`)
			list = append(list, kind)
		}
	}
}

// The frames come whole, and with a write for each byte (Autobahn's 2.6, 2.11, 3.3,
// 5.5, 6.2.4, 6.3.2 and their like), and over HTTP/2.
func TestRFC6455(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	addr, h2 := listen(t, n), listenH2(t, chained(n))
	bytewise := func(w *wire, b []byte) {
		for _, c := range b {
			w.sent([]byte{c})
		}
	}
	for _, c := range rfcCases() {
		t.Run(strings.TrimSpace(c.number+" "+c.name), func(t *testing.T) {
			t.Parallel()
			try := func(how string, w *wire, send func(*wire, []byte)) {
				w.expect("connected")
				go send(w, append(slices.Clone(c.frames), closing(1000, "")...)) // the end may come first
				if got := w.outcome(); got != c.want {
					t.Errorf("%s: %q, want %q", how, got, c.want)
				}
			}
			whole := func(w *wire, b []byte) { w.sent(b) }
			try("whole", dial(t, addr), whole)
			if len(c.frames) < 1000 {
				try("byte by byte", dial(t, addr), bytewise)
			}
			w, _ := dialH2(t, h2, nil)
			try("over HTTP/2", w, whole)
		})
	}
}
