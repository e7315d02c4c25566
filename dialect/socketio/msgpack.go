package socketio

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// errMsgpack means that a text is not MessagePack, or has something for which JSON has no form.
var errMsgpack = errors.New("it is not MessagePack that JSON can express")

// msgpackReader turns MessagePack into JSON. A library that decodes into Go values would lose the order of
// the members of objects, which events keep here.
type msgpackReader struct {
	rest   []byte
	out    []byte
	depth  int
	binary int // how many binary values were found
}

// msgpackToJSON returns the JSON text of one value, and how many binary values are in it.
func msgpackToJSON(frame []byte) (json.RawMessage, int, error) {
	r := msgpackReader{rest: frame, out: make([]byte, 0, len(frame)+len(frame)/8)}
	if err := r.value(); err != nil {
		return nil, 0, err
	}
	if len(r.rest) > 0 {
		return nil, 0, errMsgpack
	}
	return r.out, r.binary, nil
}

// take cuts n bytes off.
func (r *msgpackReader) take(n uint64) ([]byte, error) {
	if n > uint64(len(r.rest)) {
		return nil, errMsgpack
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b, nil
}

// number reads an unsigned number of 1, 2, 4 or 8 bytes.
func (r *msgpackReader) number(size uint64) (uint64, error) {
	b, err := r.take(size)
	if err != nil {
		return 0, err
	}
	var whole [8]byte
	copy(whole[8-size:], b)
	return binary.BigEndian.Uint64(whole[:]), nil
}

// value appends the next value.
func (r *msgpackReader) value() error {
	head, err := r.take(1)
	if err != nil {
		return err
	}
	switch c := head[0]; {
	case c < 0x80:
		r.out = strconv.AppendUint(r.out, uint64(c), 10)
	case c < 0x90:
		return r.object(uint64(c & 0x0F))
	case c < 0xA0:
		return r.array(uint64(c & 0x0F))
	case c < 0xC0:
		return r.text(uint64(c & 0x1F))
	case c >= 0xE0:
		r.out = strconv.AppendInt(r.out, int64(int8(c)), 10)
	default:
		return r.long(c)
	}
	return nil
}

// long appends a value whose kind is the whole byte c.
func (r *msgpackReader) long(c byte) error {
	switch c {
	case 0xC0:
		r.out = append(r.out, "null"...)
	case 0xC2:
		r.out = append(r.out, "false"...)
	case 0xC3:
		r.out = append(r.out, "true"...)
	case 0xCA, 0xCB:
		return r.float(4 << (c - 0xCA))
	case 0xCC, 0xCD, 0xCE, 0xCF:
		n, err := r.number(1 << (c - 0xCC))
		r.out = strconv.AppendUint(r.out, n, 10)
		return err
	case 0xD0, 0xD1, 0xD2, 0xD3:
		size := uint64(1) << (c - 0xD0)
		n, err := r.number(size)
		unused := 64 - 8*size
		r.out = strconv.AppendInt(r.out, int64(n<<unused)>>unused, 10)
		return err
	case 0xD4, 0xD5, 0xD6, 0xD7, 0xD8:
		return r.extension(1 << (c - 0xD4))
	default:
		return r.sized(c)
	}
	return nil
}

// sized appends a value that has its size behind its kind. It uses a switch instead of a table of functions, because
// Go would build the table again for each value.
func (r *msgpackReader) sized(c byte) error {
	size := sizeBytes(c)
	if size == 0 {
		return errMsgpack
	}
	n, err := r.number(size)
	if err != nil {
		return err
	}
	switch {
	case c <= 0xC6:
		return r.blob(n)
	case c <= 0xC9:
		return r.extension(n)
	case c <= 0xDB:
		return r.text(n)
	case c <= 0xDD:
		return r.array(n)
	}
	return r.object(n)
}

// sizeBytes returns how many bytes the size behind a kind takes; 0 if the kind has no size behind it.
func sizeBytes(c byte) uint64 {
	switch c {
	case 0xC4, 0xC7, 0xD9:
		return 1
	case 0xC5, 0xC8, 0xDA, 0xDC, 0xDE:
		return 2
	case 0xC6, 0xC9, 0xDB, 0xDD, 0xDF:
		return 4
	}
	return 0
}

func (r *msgpackReader) text(n uint64) error {
	b, err := r.take(n)
	r.out = protocol.AppendString(r.out, string(b))
	return err
}

// blob appends binary data as it stands in a room.
func (r *msgpackReader) blob(n uint64) error {
	b, err := r.take(n)
	r.binary++
	r.out = append(r.out, embedded...)
	r.out = append(base64.StdEncoding.AppendEncode(r.out, b), `"}`...)
	return err
}

// float appends a number as JavaScript writes it. What is no number is null there.
func (r *msgpackReader) float(size uint64) error {
	n, err := r.number(size)
	f := math.Float64frombits(n)
	if size == 4 {
		f = float64(math.Float32frombits(uint32(n)))
	}
	text, bad := json.Marshal(f)
	if bad != nil {
		text = []byte("null")
	}
	r.out = append(r.out, text...)
	return err
}

// enter counts the nesting. n is how many values follow at the least.
func (r *msgpackReader) enter(n uint64) error {
	if r.depth++; r.depth > protocol.MaxDepth || n > uint64(len(r.rest)) {
		return errMsgpack
	}
	return nil
}

func (r *msgpackReader) array(n uint64) error {
	if err := r.enter(n); err != nil {
		return err
	}
	r.out = append(r.out, '[')
	for i := range n {
		if i > 0 {
			r.out = append(r.out, ',')
		}
		if err := r.value(); err != nil {
			return err
		}
	}
	r.out = append(r.out, ']')
	r.depth--
	return nil
}

func (r *msgpackReader) object(n uint64) error {
	if err := r.enter(2 * n); err != nil {
		return err
	}
	r.out = append(r.out, '{')
	for i := range n {
		if i > 0 {
			r.out = append(r.out, ',')
		}
		start := len(r.out)
		if err := r.value(); err != nil {
			return err
		}
		if r.out[start] != '"' {
			return errMsgpack // JSON has only texts as names
		}
		r.out = append(r.out, ':')
		if err := r.value(); err != nil {
			return err
		}
	}
	r.out = append(r.out, '}')
	r.depth--
	return nil
}

// extension appends a time as the JSON of JavaScript has it, and anything else as null.
func (r *msgpackReader) extension(n uint64) error {
	kind, err := r.number(1)
	if err != nil {
		return err
	}
	b, err := r.take(n)
	if err != nil {
		return err
	}
	var at time.Time
	switch {
	case kind == 0xFF && n == 4:
		at = time.Unix(int64(binary.BigEndian.Uint32(b)), 0)
	case kind == 0xFF && n == 8:
		both := binary.BigEndian.Uint64(b)
		at = time.Unix(int64(both&(1<<34-1)), int64(both>>34))
	case kind == 0xFF && n == 12:
		at = time.Unix(int64(binary.BigEndian.Uint64(b[4:])), int64(binary.BigEndian.Uint32(b)))
	}
	if at.IsZero() || at.Year() < 0 || at.Year() > 9999 {
		r.out = append(r.out, "null"...)
		return nil
	}
	r.out = at.UTC().AppendFormat(append(r.out, '"'), "2006-01-02T15:04:05.000Z")
	r.out = append(r.out, '"')
	return nil
}
