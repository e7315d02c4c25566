package ws

import (
	"compress/flate"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

const (
	// rsv1 marks the first frame of a message that is compressed (RFC 7692, section 6).
	rsv1 = 0x40
	// leastDeflated is the least payload in bytes that is compressed. Compression saves 27 of
	// 135 bytes, but 123 of 341. Replies to commands are shorter, and each is for one
	// connection alone.
	leastDeflated = 256
	// deflateLevel is the fastest level. The default level, 6, takes twice its time for a
	// kilobyte of JSON and saves a twentieth more.
	deflateLevel = flate.BestSpeed
	// emptyBlock ends what a writer has flushed. It is not sent (RFC 7692, section 7.2.1).
	emptyBlock = "\x00\x00\xff\xff"
)

// deflating is the Encoder of connections with permessage-deflate. It compares unequal to an
// [Encoder], so the connections of a room share two forms of a broadcast, and each is made
// once. Neither side keeps a window between messages, because the form could not be shared
// otherwise.
type deflating struct{ Encoder }

// AppendEvent appends the frames of ev, each compressed if that makes it shorter.
func (e deflating) AppendEvent(dst []byte, ev hub.Event) []byte {
	if ev, ok := ev.(pong); ok {
		return e.Encoder.AppendEvent(dst, ev)
	}
	plain := getBuffer()
	defer putBuffer(plain)
	*plain = e.Encoder.AppendEvent(*plain, ev)
	for rest := *plain; len(rest) > 0; {
		var frame []byte
		frame, rest = cutFrame(rest)
		dst = appendShorter(dst, frame)
	}
	return dst
}

// appendShorter appends a frame that seal has made, compressed if that makes it shorter.
func appendShorter(dst, frame []byte) []byte {
	start, payload := len(dst), frame[headerOf(frame):]
	if len(payload) >= leastDeflated {
		dst = slices.Grow(dst, mediumHeader+len(payload)/2)[:start+mediumHeader]
		dst = appendDeflated(dst, payload)
		if len(dst)-start-mediumHeader < len(payload) {
			dst = seal(dst, start)
			dst[start] = frame[0] | rsv1
			return dst
		}
	}
	return append(dst[:start], frame...)
}

// deflater is a writer of compress/flate that appends to a slice.
type deflater struct {
	mu     sync.Mutex    // held while one payload is compressed, and over nothing that waits
	writer *flate.Writer // nil: never used so far
	out    []byte
}

// deflaters are as many as goroutines can run at a time. A writer takes more than half a
// megabyte, so that a pool without a bound was rejected. Waiting for a place in a channel was
// rejected as well: the hub encodes with locks held, and only computing may hold those up.
var deflaters = make([]deflater, runtime.GOMAXPROCS(0))

// turn spreads the work over the deflaters.
var turn atomic.Uint32

func (d *deflater) Write(p []byte) (int, error) {
	d.out = append(d.out, p...)
	return len(p), nil
}

// appendDeflated appends payload as a message of RFC 7692.
func appendDeflated(dst, payload []byte) []byte {
	d := &deflaters[int(turn.Add(1))%len(deflaters)]
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.writer == nil {
		d.writer, _ = flate.NewWriter(d, deflateLevel) // fails only for a level that does not exist
	}
	d.out = dst
	d.writer.Reset(d)
	_, _ = d.writer.Write(payload) // Write of d can not fail
	_ = d.writer.Flush()
	dst, d.out = d.out[:len(d.out)-len(emptyBlock)], nil
	return dst
}
