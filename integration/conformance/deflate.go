package conformance

import (
	"bytes"
	"compress/flate"
	"io"
	"net/http"
	"strings"
)

// rsv1 is the bit of a compressed message.
const rsv1 = 0x40

// inflate returns a compressed message, which was compressed alone.
func inflate(packed []byte) ([]byte, error) {
	tail := "\x00\x00\xff\xff\x01\x00\x00\xff\xff" // RFC 7692, and the end of the stream
	return io.ReadAll(io.LimitReader(flate.NewReader(io.MultiReader(bytes.NewReader(packed), strings.NewReader(tail))), maxMessage))
}

// deflate returns a message compressed alone.
func deflate(text []byte) []byte {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err == nil {
		_, err = w.Write(text)
	}
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		panic(err) // a buffer takes everything
	}
	return bytes.TrimSuffix(out.Bytes(), []byte{0, 0, 0xff, 0xff})
}

// openDeflating opens a connection with compression.
func (r *run) openDeflating() *client {
	c := r.openWith(http.Header{"Sec-Websocket-Extensions": {"permessage-deflate; client_max_window_bits"}})
	if c.answer.Header.Get("Sec-WebSocket-Extensions") == "" {
		panic(absence("the server does not compress"))
	}
	c.deflate = true
	c.connected = c.expect("connected")
	return c
}
