// Package floor is the least that a Go server does for a room: it upgrades a TCP
// connection to a WebSocket by hand, and one goroutine per room writes what is pending
// to each member, merged, in one write. It has no TLS, no session, no JSON and no limit:
// a member that does not read blocks its room.
package floor

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
)

// room is one room.
type room struct {
	mu      sync.Mutex
	members []net.Conn // guarded by mu; replaced, never changed
	pending []byte     // guarded by mu: whole frames
	busy    bool       // guarded by mu: drain runs
}

var (
	mu    sync.Mutex
	rooms = make(map[string]*room) // guarded by mu
)

// publish appends a frame, and starts the room's goroutine if none runs.
func (r *room) publish(text []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pending = frame(r.pending, text)
	if !r.busy {
		r.busy = true
		go r.drain()
	}
}

// drain writes until nothing is pending.
func (r *room) drain() {
	var spare []byte
	for {
		r.mu.Lock()
		batch, members := r.pending, r.members
		r.pending, r.busy = spare[:0], len(batch) > 0
		r.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		for _, m := range members {
			_, _ = m.Write(batch) // its reader sees an error as well
		}
		spare = batch
	}
}

func (r *room) join(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members = append(slices.Clone(r.members), c)
}

func (r *room) leave(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members = slices.DeleteFunc(slices.Clone(r.members), func(other net.Conn) bool { return other == c })
}

// frame appends a text frame.
func frame(b, text []byte) []byte {
	b = append(b, 0x81)
	switch n := len(text); {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, text...)
}

// read returns the payload of the next frame of a client, which is masked.
func read(r *bufio.Reader, buf []byte) ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:2]); err != nil {
		return nil, err
	}
	n := int(head[1] & 127)
	if wide := map[int]int{126: 2, 127: 8}[n]; wide > 0 {
		if _, err := io.ReadFull(r, head[:wide]); err != nil {
			return nil, err
		}
		n = 0
		for _, c := range head[:wide] {
			n = n<<8 | int(c)
		}
	}
	if n > 1<<20 {
		return nil, io.ErrShortBuffer
	}
	buf = append(buf[:0], make([]byte, 4+n)...)
	if _, err := io.ReadFull(r, buf); err != nil {
		return nil, err
	}
	key, text := buf[:4], buf[4:]
	for i := range text {
		text[i] ^= key[i&3]
	}
	return text, nil
}

func serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReaderSize(c, 2048)
	req, err := http.ReadRequest(r)
	if err != nil {
		return
	}
	mu.Lock()
	room := rooms[req.URL.Path]
	if room == nil {
		room = newRoom(req.URL.Path)
	}
	mu.Unlock()
	if _, err := io.WriteString(c, accept(req.Header)); err != nil {
		return
	}
	room.join(c)
	defer room.leave(c)
	var buf []byte
	for {
		if buf, err = read(r, buf); err != nil {
			return
		}
		room.publish(buf)
	}
}

// newRoom adds a room. The caller holds mu.
func newRoom(name string) *room {
	r := &room{}
	rooms[name] = r
	return r
}

// Serve listens at an address.
func Serve(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go serve(c)
	}
}
