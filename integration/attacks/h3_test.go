package attacks

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

const quicSite = `
{
	admin {{admin}}
	realtime one {
		room open:* {
			subscribe anyone
			publish anyone
			history 1000
		}
		room plain:* {
			subscribe anyone
			publish anyone
		}
	}
}
https://{{quic}} {
	realtime /rt {
		hub one
	}
}
http://{{site}} {
	realtime /rt {
		hub one
	}
}
`

// What is in memory when an attack over HTTP/3 is over, beside what quic-go keeps of
// 1,000 streams, which is 10 MiB.
const mostKept = 24 << 20

// attackHTTP3 do over HTTP/3 what needs a server of its own. The connections that they
// leave open count, because their streams end with them.
func attackHTTP3(w *world) []attack {
	var p *integration.Process
	server := func(t *testing.T) *quicServer {
		if p == nil {
			p = integration.StartProcess(w.gauge.t, quicSite)
			p.WaitLog("certificate obtained successfully")
		}
		w.gauge.watch(p)
		return &quicServer{addr: p.Addr("quic"), site: target(p.Addr("site")), admin: target(p.Addr("admin"))}
	}
	streams := bounds{peak: 192 << 20, kept: 192 << 20, cpu: 5 * time.Second} // each may hold its queue while it is there
	return []attack{
		{"1,000 event streams that take nothing, and end with their connections", "little is kept", func(t *testing.T) string {
			w.gauge.allow(streams)
			return server(t).leaveBehind(t, http.MethodGet, "/rt/sse?channel=plain:1", "")
		}},
		{"1,000 WebSockets, the same", "little is kept", func(t *testing.T) string {
			w.gauge.allow(streams)
			return server(t).leaveBehind(t, http.MethodConnect, "/rt", `{"type":"subscribe","payload":{"channel":"plain:1"}}`)
		}},
		{"400 answers of 480 KB, the same", "little is kept", func(t *testing.T) string {
			w.gauge.allow(streams)
			return server(t).askAndLeave(t)
		}},
		{"20,000 event streams, opened and reset", "memory flat", func(t *testing.T) string {
			w.gauge.allow(bounds{peak: 96 << 20, kept: 96 << 20, cpu: 5 * time.Second})
			return server(t).resetAll(t, 20_000)
		}},
	}
}

// quicServer is a server that is attacked over HTTP/3.
type quicServer struct {
	addr        string
	site, admin target
}

// dial connects with a window for each answer.
func (s *quicServer) dial(t *testing.T, window uint64) *http3.ClientConn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := quic.DialAddr(ctx, s.addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{http3.NextProtoH3}},
		&quic.Config{InitialStreamReceiveWindow: window, MaxStreamReceiveWindow: window})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseWithError(0, "") })
	return new(http3.Transport).NewClientConn(conn)
}

// ask sends the head of a request.
func (s *quicServer) ask(ctx context.Context, c *http3.ClientConn, method, path string) (*http3.RequestStream, error) {
	str, err := c.OpenRequestStream(ctx)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse("https://" + s.addr + path)
	if err != nil {
		return nil, err
	}
	r := &http.Request{Method: method, Host: s.addr, URL: u, Header: http.Header{}}
	if method == http.MethodConnect {
		r.Proto = "websocket"
		r.Header.Set("Sec-Websocket-Version", "13")
	}
	return str, str.SendRequestHeader(r)
}

// leaveBehind opens 100 streams on each of 10 connections and reads the head of each
// answer and no more. When the server is stuck with something for each of them the
// connections end.
func (s *quicServer) leaveBehind(t *testing.T, method, path, say string) string {
	before := s.admin.inUse(t)
	var conns []*http3.ClientConn
	for range 10 {
		c := s.dial(t, 1<<10)
		conns = append(conns, c)
		for range 100 {
			str, e := s.readHead(t, c, method, path)
			if e != "" {
				return e
			}
			if say != "" {
				_, _ = str.Write(frame(headText, say)) // the row fails later if this does
			}
		}
	}
	for range 10 {
		if a := s.site.send(t, post("plain:1", `{"content":"`+strings.Repeat("x", 60_000)+`"}`, jsonType)); a.status != http.StatusOK {
			return a.String()
		}
	}
	held := int64(s.admin.heap(t, "HeapAlloc") - before)
	for _, c := range conns {
		_ = c.CloseWithError(0, "")
	}
	if held < mostKept {
		return fmt.Sprintf("the attack is none: only %d MiB are held", held>>20)
	}
	return s.kept(t, before, mostKept)
}

// askAndLeave asks for long answers, 10 over each of 40 connections, which end when the
// answers have begun.
func (s *quicServer) askAndLeave(t *testing.T) string {
	fillHistory(t, s.site, 10)
	before := s.admin.inUse(t)
	for range 40 {
		c := s.dial(t, 1<<10)
		for range 10 {
			if _, e := s.readHead(t, c, http.MethodGet, "/rt/channels/open:long/messages?limit=1000"); e != "" {
				return e
			}
		}
		_ = c.CloseWithError(0, "")
	}
	return s.kept(t, before, mostKept/3)
}

// readHead asks for something and reads the head of the answer; e says what was wrong
// with it.
func (s *quicServer) readHead(t *testing.T, c *http3.ClientConn, method, path string) (str *http3.RequestStream, e string) {
	str, err := s.ask(t.Context(), c, method, path)
	if err != nil {
		return nil, err.Error()
	}
	if res, err := str.ReadResponse(); err != nil || res.StatusCode != http.StatusOK {
		return nil, fmt.Sprint(res, err)
	}
	return str, ""
}

// kept says how much more is in use than before, and whether that is too much.
func (s *quicServer) kept(t *testing.T, before uint64, most int64) string {
	growth := int64(s.admin.inUse(t) - before)
	if growth > most {
		return fmt.Sprintf("%d MiB are kept", growth>>20)
	}
	return fmt.Sprintf("little is kept (%d MiB)", growth>>20)
}

// resetAll opens n event streams, and resets each at once.
func (s *quicServer) resetAll(t *testing.T, n int) string {
	before := s.admin.inUse(t)
	var all sync.WaitGroup
	for range 4 {
		c := s.dial(t, 1<<10)
		for range 20 {
			all.Go(func() {
				for range n / 80 {
					str, err := s.ask(t.Context(), c, http.MethodGet, "/rt/sse?channel=plain:1")
					if err != nil {
						t.Error(err)
						return
					}
					str.CancelRead(quic.StreamErrorCode(http3.ErrCodeRequestCanceled))
					str.CancelWrite(quic.StreamErrorCode(http3.ErrCodeRequestCanceled))
				}
			})
		}
	}
	all.Wait()
	if kept := int64(s.admin.inUse(t) - before); kept > 4<<20+maxGrowth {
		return fmt.Sprintf("%d KiB more in use", kept>>10)
	}
	return "memory flat"
}
