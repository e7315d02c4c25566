package ws_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// held is a client's connection below TLS, which can keep what is written.
type held struct {
	net.Conn

	mu   sync.Mutex
	hold bool
	kept bytes.Buffer
}

func (h *held) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hold {
		return h.kept.Write(p)
	}
	return h.Conn.Write(p)
}

// keep keeps the records that f writes, and returns them.
func (h *held) keep(f func()) []byte {
	h.set(true)
	defer h.set(false)
	f()
	return bytes.Clone(h.kept.Bytes())
}

func (h *held) set(hold bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hold = hold
	h.kept.Reset()
}

func dialHeld(t *testing.T) (*held, *websocket.Conn) {
	t.Helper()
	secure := httptest.NewTLSServer(newNode(t, hub.Settings{}))
	t.Cleanup(secure.Close)
	h := new(held)
	d := websocket.Dialer{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		NetDialContext: func(ctx context.Context, network, addr string) (_ net.Conn, err error) {
			h.Conn, err = new(net.Dialer).DialContext(ctx, network, addr)
			return h, err
		},
	}
	c, res, err := d.Dial("wss"+strings.TrimPrefix(secure.URL, "https"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	t.Cleanup(func() { _ = c.Close() })
	wantType(t, c, "connected")
	return h, c
}

// A TLS record is read that arrives in pieces with pauses in which the reader parks, and so are many
// records that arrive together.
func TestRecords(t *testing.T) {
	t.Parallel()
	h, c := dialHeld(t)
	subscribe := func(i int) { say(t, c, fmt.Sprintf(`{"type":"subscribe","payload":{"channel":"open:%d"}}`, i)) }
	record := h.keep(func() { subscribe(0) })
	for _, piece := range [][]byte{record[:3], record[3:20], record[20:]} {
		if _, err := h.Conn.Write(piece); err != nil {
			t.Fatal(err)
		}
		time.Sleep(150 * time.Millisecond) // longer than the reader waits for the rest
	}
	wantType(t, c, "subscribed")
	const many = 50
	records := h.keep(func() {
		for i := range many {
			subscribe(i + 1)
		}
	})
	cut := len(records) - 7 // in the last record
	for _, piece := range [][]byte{records[:cut], records[cut:]} {
		if _, err := h.Conn.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	for range many {
		wantType(t, c, "subscribed")
	}
}
