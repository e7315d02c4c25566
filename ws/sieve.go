package ws

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

const (
	finBit  = 0x80
	rsvBits = 0x70
	maskBit = 0x80

	opContinue = 0x0
	opText     = 0x1
	opBinary   = 0x2
	opClose    = 0x8
	opPing     = 0x9
	opPong     = 0xA

	maskLength = 4
)

// verdict is the reason for closing a connection, as an error.
type verdict hub.Reason

func (r verdict) Error() string { return r.Text }

// farewell is a client's close frame, as an error. Its value is the code, 0 if there
// is none.
type farewell uint16

func (farewell) Error() string { return "ws: the client has sent a close frame" }

var errFragments = errors.New("ws: too many fragments")

// broken returns the verdict about a frame that breaks the rules of RFC 6455.
func broken(format string, args ...any) error {
	return verdict(with(protocol.ReasonProtocol, "broken frame: "+fmt.Sprintf(format, args...)))
}

// sieve passes on the bytes of data frames and keeps those of control frames. It checks every
// header before gorilla does, because gorilla accepts frames that RFC 6455 forbids, and because
// a control frame that comes alone then needs no engine.
type sieve struct {
	head    [2 + 8 + maskLength]byte // header of the current frame
	have    int                      // bytes of head that were read
	left    uint64                   // bytes of the payload that are missing; valid once the head is whole
	payload []byte                   // of a control frame, unmasked
	open    bool                     // a message has started, and its last fragment has not ended
	cost    int                      // bytes of the message so far beside its payload

	deflate  bool // static while a reader uses the sieve: permessage-deflate is in use
	deflated bool // the current message is compressed
}

// rest reports whether the sieve is between two messages and not inside a frame.
func (s *sieve) rest() bool { return s.have == 0 && !s.open }

// whole reports whether the head is complete.
func (s *sieve) whole() bool { return s.have >= 2 && s.have == s.length() }

// length is the length of the head. Its first two bytes must be there.
func (s *sieve) length() int { return 2 + s.extension() + maskLength }

// extension is how many more bytes of the head hold the length of the payload.
func (s *sieve) extension() int {
	switch s.head[1] &^ maskBit {
	case 126:
		return 2
	case 127:
		return 8
	}
	return 0
}

func isControl(first byte) bool { return first&0x8 != 0 }

// pass reads bytes of src and moves those of data frames to dst, as far as there is room. It
// stops at the end of a message and after each control frame. dst and src may be the same
// memory.
func (s *sieve) pass(dst, src []byte) (passed, used int, err error) {
	for used < len(src) {
		first := s.head[0]
		if s.have == 0 {
			first = src[used]
		}
		if !isControl(first) && passed == len(dst) {
			return passed, used, nil
		}
		n := 1
		if s.whole() {
			n = s.take(dst[passed:], src[used:])
		} else {
			b := src[used]
			err = s.header(b)
			if !isControl(first) {
				dst[passed] = s.shown(b)
			}
		}
		used += n
		if !isControl(first) {
			passed += n
		}
		if err != nil || s.ended() {
			return passed, used, err
		}
	}
	return passed, used, nil
}

// take reads bytes of a payload and returns their number.
func (s *sieve) take(dst, src []byte) int {
	src = src[:min(uint64(len(src)), s.left)]
	if isControl(s.head[0]) {
		mask := s.head[s.have-maskLength:]
		for _, b := range src {
			s.payload = append(s.payload, b^mask[len(s.payload)%maskLength])
		}
	} else {
		src = src[:copy(dst, src)]
	}
	s.left -= uint64(len(src))
	return len(src)
}

// ended reports whether a message or a control frame has ended. At the end of a fragment the
// next frame starts.
func (s *sieve) ended() bool {
	if !s.whole() || s.left > 0 {
		return false
	}
	if isControl(s.head[0]) {
		return true // control resets the head
	}
	s.have, s.open = 0, s.head[0]&finBit == 0
	return !s.open
}

// header reads a byte of a header. It checks each field when it is complete.
func (s *sieve) header(b byte) error {
	s.head[s.have] = b
	s.have++
	if s.open {
		if s.cost++; s.cost > maxOverhead {
			return errFragments
		}
	}
	switch {
	case s.have == 1:
		return s.checkFirst()
	case s.have == 2:
		return s.checkSecond()
	case s.have == s.length()-maskLength:
		return s.checkLength()
	}
	return nil
}

// checkFirst checks the first byte of a frame: FIN, RSV1 to RSV3 and the opcode.
func (s *sieve) checkFirst() error {
	first := s.head[0]
	fin, op := first&finBit != 0, first&0xF
	switch {
	case s.reserved(first) != 0:
		return broken("RSV%d is set, %s", rsv(s.reserved(first)), s.why())
	case op == opClose, op == opPing, op == opPong:
		if !fin {
			return broken("a control frame without FIN")
		}
	case op == opText, op == opBinary:
		if s.open {
			return broken("a message begins before FIN of the last one")
		}
		s.open, s.cost, s.deflated = true, 1, first&rsv1 != 0
	case op == opContinue:
		if !s.open {
			return broken("a continuation of nothing")
		}
	default:
		return broken("opcode %d is reserved", op)
	}
	return nil
}

// reserved returns the reserved bits of a frame that must not be set. RSV1 may be set where a
// data message starts, if permessage-deflate is in use.
func (s *sieve) reserved(first byte) byte {
	if op := first & 0xF; s.deflate && (op == opText || op == opBinary) {
		return first & rsvBits &^ rsv1
	}
	return first & rsvBits
}

// why says why a reserved bit must not be set.
func (s *sieve) why() string {
	if s.deflate {
		return "and this frame may not have it"
	}
	return "and no extension is in use"
}

// shown returns a byte of a header as gorilla sees it. gorilla knows nothing of
// compression: the engine inflates what gorilla has read.
func (s *sieve) shown(b byte) byte {
	if s.have == 1 {
		return b &^ rsv1
	}
	return b
}

// rsv is the number of the first reserved bit that is set.
func rsv(first byte) int {
	n := 1
	for bit := byte(0x40); first&bit == 0; bit >>= 1 {
		n++
	}
	return n
}

// checkSecond checks the second byte: MASK and the length, or the mark of a longer length.
func (s *sieve) checkSecond() error {
	second := s.head[1]
	n := second &^ maskBit
	switch {
	case second&maskBit == 0:
		return broken("MASK is not set")
	case isControl(s.head[0]) && n > maxControl:
		return broken("a control frame has more than %d bytes", maxControl)
	}
	s.left, s.payload = uint64(n), s.payload[:0]
	return nil
}

// checkLength checks a length of two or eight bytes.
func (s *sieve) checkLength() error {
	least := uint64(maxControl + 1)
	switch s.extension() {
	case 2:
		s.left = uint64(binary.BigEndian.Uint16(s.head[2:]))
	case 8:
		s.left, least = binary.BigEndian.Uint64(s.head[2:]), 1<<16
	}
	switch {
	case s.left < least:
		return broken("the length %d is written with more bytes than it needs", s.left)
	case s.left >= 1<<63:
		return broken("the first bit of the length is set")
	}
	return nil
}

// control returns the control frame that has ended, and starts the next frame.
func (s *sieve) control() (op byte, payload []byte) {
	if s.open {
		s.cost += len(s.payload)
	}
	s.have = 0
	return s.head[0] & 0xF, s.payload
}

// closing checks the payload of a close frame. It returns a farewell or a verdict.
func closing(payload []byte) error {
	if len(payload) == 0 {
		return farewell(0)
	}
	if len(payload) == 1 {
		return broken("a close frame of one byte")
	}
	code := binary.BigEndian.Uint16(payload)
	switch {
	case !mayBeSent(code):
		return broken("the close code %d must not be sent", code)
	case !utf8.Valid(payload[2:]):
		return verdict(protocol.ReasonEncoding)
	}
	return farewell(code)
}
