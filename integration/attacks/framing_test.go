package attacks

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/session"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

// randomFrames is how many frames all connections send.
var randomFrames = sized[int64](20_000, 100_000)

// framesOfOne is how many frames one connection sends. Most connections are
// over before, because of a frame that breaks the rules.
const framesOfOne = 25

// commands are what mutated frames begin with.
var commands = []string{
	`{"type":"ping","id":1}`, `{"type":"subscribe","id":"a","payload":{"channel":"open:1"}}`,
	`{"type":"message","payload":{"channel":"open:1","content":"x"}}`, `{"type":"unsubscribe","payload":{"channel":"open:1"}}`,
	`{"type":"history","payload":{"channel":"open:1","limit":3}}`,
}

// attackFraming sends frames through pipes to sessions of a hub of its own.
func attackFraming(t *testing.T) string {
	registry := newRegistry(t)
	before, begin := inUse(), processorTime()
	var sent, connections atomic.Int64
	var all sync.WaitGroup
	for half := range uint64(2) {
		all.Go(func() {
			n := newNoise(2 + half)
			for sent.Load() < randomFrames && processorTime()-begin < maxDecoding {
				sent.Add(sendFrames(t, registry, n))
				connections.Add(1)
			}
		})
	}
	all.Wait()
	if !until(func() bool { return registry.Hub().Conns() == 0 }) {
		return fmt.Sprintf("%d connections are left over", registry.Hub().Conns())
	}
	return flat(before, begin, fmt.Sprintf("%d frames on %d connections", sent.Load(), connections.Load()))
}

func newRegistry(t *testing.T) *session.Registry {
	h, err := hub.New(func(s hub.Sink) (hub.Broker, error) { return memory.New(s, memory.Options{}), nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	p, err := policy.Compile([]policy.Room{{Pattern: "open:*", Subscribe: policy.Anyone, Publish: policy.Anyone, History: hub.Retention{Size: 5}}})
	if err != nil {
		t.Fatal(err)
	}
	h.Apply(hub.Settings{Room: p.Options})
	registry := session.New(h)
	registry.Apply(session.Config{Policy: p, Limits: session.Limits{MessageSize: 4096}})
	return registry
}

// sendFrames runs a connection, and gives how many frames it has sent.
func sendFrames(t *testing.T, registry *session.Registry, n noise) (sent int64) {
	server, conn := net.Pipe()
	defer conn.Close()
	shake := &pipeWriter{conn: server, header: make(http.Header)}
	go func() { _, _ = io.Copy(io.Discard, conn) }()
	if err := ws.Serve(shake, shake.request(), ws.Options{Registry: registry}); err != nil {
		t.Error(err)
		return 1
	}
	for range framesOfOne {
		sent++
		if _, err := conn.Write(n.frame()); err != nil {
			break
		}
	}
	return sent
}

// frame makes a frame, a good one two times of three.
func (n noise) frame() []byte {
	switch n.IntN(12) {
	case 0: // no frame at all
		return n.bytes(200)
	case 1: // a length that is not its own
		b := binary.BigEndian.AppendUint64([]byte{byte(n.Uint32()), 0x80 | 127}, n.Uint64()>>n.IntN(64))
		return append(b, n.bytes(100)...)
	case 2: // any first byte
		return frame(byte(n.Uint32()), string(n.bytes(130)))
	case 3:
		return n.mutate([]string{string(frame(headText, commands[0])), string(frame(0x01, "a")) + string(frame(0x80, "b"))})
	case 4, 5:
		return frame(headText, string(n.bytes(5000)))
	case 6:
		return frame(headPing, string(n.bytes(126)))
	}
	return frame(headText, string(n.mutate(commands)))
}

// pipeWriter hands a pipe over, in place of a server's connection.
type pipeWriter struct {
	conn   net.Conn
	header http.Header
}

func (p *pipeWriter) Header() http.Header         { return p.header }
func (p *pipeWriter) Write(b []byte) (int, error) { return len(b), nil }
func (p *pipeWriter) WriteHeader(int)             {}

func (p *pipeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return p.conn, bufio.NewReadWriter(bufio.NewReader(p.conn), bufio.NewWriter(p.conn)), nil
}

// request is a handshake.
func (p *pipeWriter) request() *http.Request {
	r := &http.Request{Method: http.MethodGet, ProtoMajor: 1, ProtoMinor: 1, Header: make(http.Header)}
	for _, line := range handshake() {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	return r
}
