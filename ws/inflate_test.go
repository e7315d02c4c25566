package ws

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// deflated is text as one message of RFC 7692.
func deflated(text string) []byte { return appendDeflated(nil, []byte(text)) }

// lastBlock is the example of RFC 7692, section 7.2.3.4: "Hello" in a last block.
const lastBlock = "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"

func TestInflate(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 20000)
	for i := range noise {
		noise[i] = byte(rand.IntN(256))
	}
	stored := append([]byte{0, 100, 0, 155, 255}, noise[:100]...)
	for _, c := range []struct {
		name    string
		message []byte
		limit   int
		want    string
		err     error
	}{
		{"text", deflated("hello hello hello"), 100, "hello hello hello", nil},
		{"as long as allowed", deflated(strings.Repeat("x", 100)), 100, strings.Repeat("x", 100), nil},
		{"a byte too long", deflated(strings.Repeat("x", 101)), 100, "", websocket.ErrReadLimit},
		{"noise", deflated(string(noise)), len(noise), string(noise), nil},
		{"nothing, not even a block", nil, 100, "", errDeflate},
		{"an empty block", []byte{0}, 100, "", nil},
		{"the fixed block of RFC 7692", []byte("\xf2\x48\xcd\xc9\xc9\x07\x00"), 100, "Hello", nil},
		{"the stored block of RFC 7692", []byte("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"), 100, "Hello", nil},
		{"two blocks", []byte("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"), 100, "Hello", nil},
		{"a last block", []byte(lastBlock), 100, "Hello", nil},
		{"more behind a last block", []byte(lastBlock + "x"), 100, "", errDeflate},
		{"a reserved block type", []byte{0x07}, 100, "", errDeflate},
		{"a distance before the start", []byte{0x4a, 0x04, 0x81, 0x00}, 100, "", errDeflate},
		{"a stored block that is cut", stored[:50], 100, "", errDeflate},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var dst []byte
			message := bytes.Clone(c.message)
			err := inflate(&dst, &message, c.limit)
			if err == nil && string(dst) != c.want || !errors.Is(err, c.err) {
				t.Errorf("%d bytes %.20q, %v; want %v", len(dst), dst, err, c.err)
			}
		})
	}
}

// What inflates to 64 MiB costs a little more than the limit.
func TestInflateStopsEarly(t *testing.T) {
	const limit = 64 << 10
	bomb := deflated(strings.Repeat("x", 64<<20))
	inflateOnce := func() {
		message := append(make([]byte, 0, len(bomb)+len(inflateTail)), bomb...)
		var dst []byte
		if err := inflate(&dst, &message, limit); !errors.Is(err, websocket.ErrReadLimit) {
			t.Fatal(err)
		}
		if cap(dst) > 4*limit {
			t.Errorf("a buffer of %d bytes", cap(dst))
		}
	}
	inflateOnce() // makes an inflater
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	inflateOnce()
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > uint64(len(bomb)+8*limit) {
		t.Errorf("%d bytes allocated for a bomb of %d bytes", got, len(bomb))
	}
}

// FuzzInflate compares with compress/flate alone, and checks that what the server compresses
// inflates to the same.
func FuzzInflate(f *testing.F) {
	f.Add(deflated("hello hello hello"))
	f.Add(deflated(strings.Repeat("x", 5000)))
	f.Add([]byte(lastBlock))
	f.Add([]byte{0x4a, 0x04, 0x81, 0x00})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, input []byte) {
		const limit = 1000
		var got []byte
		message := bytes.Clone(input)
		err := inflate(&got, &message, limit)
		plain := flate.NewReader(strings.NewReader(string(input) + inflateTail))
		want, wantErr := io.ReadAll(io.LimitReader(plain, limit+1))
		switch {
		case err == nil && (wantErr != nil || !bytes.Equal(got, want)):
			t.Errorf("%q, want %q, %v", got, want, wantErr)
		case errors.Is(err, websocket.ErrReadLimit) && len(want) <= limit:
			t.Errorf("too large with %d bytes", len(want))
		case len(got) > limit+1:
			t.Errorf("%d bytes", len(got))
		}
		var back []byte
		message = deflated(string(input))
		if err := inflate(&back, &message, len(input)); err != nil || !bytes.Equal(back, input) {
			t.Errorf("%q becomes %q, %v", input, back, err)
		}
	})
}
