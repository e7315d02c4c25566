package gate

import "encoding/binary"

const (
	// handshakeRecord is the first byte of a record of a TLS handshake (RFC 8446, section 5.1).
	handshakeRecord = 22
	// headerSize is how long the header of a record is: its type, a version, and the size of what follows.
	headerSize = 5
)

// record finds the end of a TLS record in bytes that come in pieces. Package tls reads first what it has room for, and
// then the rest: the hello of a browser has 2,000 bytes, and its first piece less than 600.
type record struct {
	header [headerSize]byte
	seen   int // how many bytes have come
}

// add takes the next bytes. It reports whether the record is whole, and whether it is of a handshake. Behind a
// whole record the next one begins; bytes of it that have come already do not count, because
// the server reads them without a new Read.
func (r *record) add(p []byte) (whole, handshake bool) {
	if r.seen < headerSize {
		copy(r.header[r.seen:], p)
	}
	r.seen += len(p)
	if r.header[0] != handshakeRecord {
		return false, false
	}
	if r.seen < headerSize || r.seen < headerSize+int(binary.BigEndian.Uint16(r.header[3:])) {
		return false, true
	}
	*r = record{}
	return true, true
}
