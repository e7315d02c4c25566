package ws

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

const (
	// inflateTail is what follows a compressed message: the empty block that its sender has
	// left out, and a last block, so that the reader finds an end.
	inflateTail = emptyBlock + "\x01" + emptyBlock
	// restOfLast is how many bytes may be left when a message has a last block itself. The
	// sender adds a zero byte then (RFC 7692, section 7.2.3.4).
	restOfLast = 1 + len(inflateTail)
)

var errDeflate = errors.New("ws: broken compressed message")

// deflateSlack returns how many bytes a compressed message may have beyond the message size. A
// deflate stream of content that can not be compressed is longer than its content: by five
// bytes for each stored block, and zlib makes such blocks of 16 KiB or less.
func deflateSlack(limit int) int { return limit>>8 + 64 }

// inflater is a reader of compress/flate that reads from memory.
type inflater struct {
	source bytes.Reader // a ByteReader: flate adds no buffer
	reader io.ReadCloser
}

var inflaters = newShared(func() *inflater {
	i := new(inflater)
	i.reader = flate.NewReader(&i.source)
	return i
})

// receiveDeflated inflates a message and hands it to the session. The inflater goes back
// first, because a session may block.
func (e *engine) receiveDeflated(message *[]byte, binary bool) error {
	b := getBuffer()
	defer putBuffer(b)
	if err := inflate(b, message, e.limit); err != nil {
		return err
	}
	return e.deliver(*b, binary)
}

// inflate appends to dst what message inflates to, and stops when that has more than limit
// bytes. It appends to message, too.
func inflate(dst, message *[]byte, limit int) error {
	*message = append(*message, inflateTail...)
	i := inflaters.take()
	defer inflaters.put(i)
	i.source.Reset(*message)
	defer i.source.Reset(nil)
	_ = i.reader.(flate.Resetter).Reset(&i.source, nil) // fails only with a dictionary
	for {
		if len(*dst) == cap(*dst) {
			*dst = append(*dst, 0)[:len(*dst)]
		}
		n, err := i.reader.Read((*dst)[len(*dst):min(cap(*dst), limit+1)])
		*dst = (*dst)[:len(*dst)+n]
		switch {
		case len(*dst) > limit:
			return websocket.ErrReadLimit
		case err == io.EOF && i.source.Len() <= restOfLast:
			return nil
		case err != nil:
			return errDeflate
		}
	}
}

// deliver hands a message to the session. The session copies what it keeps, because the buffer
// goes back to the pool.
func (e *engine) deliver(message []byte, binary bool) error {
	if !binary && !utf8.Valid(message) {
		return verdict(protocol.ReasonEncoding)
	}
	e.reader.peer.Receive(message, binary)
	return nil
}
