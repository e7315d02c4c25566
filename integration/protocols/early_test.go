package protocols

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
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

const earlyKey = "k3y-0123456789abcdef"

const earlySite = `
https://{{site}} {
	log
	realtime /rt {
		api_key {env.REALTIME_TEST_KEY}
		room chat:* {
			subscribe anyone
			publish anyone
			document
		}
	}
}
`

// What comes before the end of the TLS handshake can be recorded and sent again by
// anybody: nothing happens by it. Reads are answered.
func TestEarlyData(t *testing.T) {
	t.Setenv("REALTIME_TEST_KEY", earlyKey)
	c := integration.Start(t, earlySite)
	c.WaitLog(certified)
	addr := c.Addr("site")
	tickets := resumable(t, addr)
	for i, test := range []struct {
		method, path string
		header       http.Header
		status       int
	}{
		{"POST", "/rt/channels/chat:1/messages", http.Header{"Authorization": {"Bearer " + earlyKey}}, 425},
		{"POST", "/rt/channels/chat:1/messages", nil, 425},
		{"POST", "/rt/publish", nil, 425},
		{"PUT", "/rt/channels/chat:1/document", nil, 425},
		{"DELETE", "/rt/channels/chat:1/document", nil, 425},
		{"DELETE", "/rt/users/ann/connections", http.Header{"Authorization": {"Bearer " + earlyKey}}, 425},
		{"CONNECT", "/rt", http.Header{"Sec-Websocket-Version": {"13"}}, 425},
		{"CONNECT", "/rt", http.Header{"Sec-Websocket-Version": {"13"}, "Cookie": {"session=ann"}}, 425},
		{"GET", "/rt/sse?channel=chat:1", nil, 425},
		{"GET", "/rt/channels/chat:1/document", nil, 200},
		{"GET", "/rt/channels", http.Header{"Authorization": {"Bearer " + earlyKey}}, 200},
		{"GET", "/rt/client.js", nil, 200},
		{"HEAD", "/rt/openapi.json", nil, 200},
		{"OPTIONS", "/rt/publish", nil, 204},
	} {
		r := &http.Request{
			Method: test.method, Host: addr, Header: http.Header{"Content-Type": {"application/json"}},
			URL: &url.URL{Scheme: "https", Host: addr},
		}
		r.URL.Path, r.URL.RawQuery, _ = strings.Cut(test.path, "?")
		r.URL.RawQuery += fmt.Sprintf("&request=%d", i) // by which it is found in the log
		for name, values := range test.header {
			r.Header[name] = values
		}
		if test.method == http.MethodConnect {
			r.Proto = "websocket"
		}
		if got := sendEarly(t, c, tickets, r); got != test.status {
			t.Errorf("%s %s %v: status %d, want %d", test.method, test.path, test.header, got, test.status)
		}
	}
	tr := &http3.Transport{TLSClientConfig: tickets} // it waits for the handshake before it sends a POST
	defer tr.Close()
	res, err := (&http.Client{Transport: tr}).Post("https://"+addr+"/rt/channels/chat:1/messages", "application/json", strings.NewReader(`{"content":1}`))
	if err != nil {
		t.Fatal(err)
	}
	if res.Body.Close(); res.StatusCode != 200 {
		t.Errorf("after the handshake: status %d", res.StatusCode)
	}
}

// A proxy says that what it passes on came early.
func TestEarlyDataThroughProxy(t *testing.T) {
	c := start(t)
	for value, want := range map[string]int{"": 200, "1": 425, "0": 425} {
		r, err := http.NewRequest(http.MethodPost, "https://"+c.Addr("site")+"/rt/channels/chat:1/messages", strings.NewReader(`{"content":1}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Early-Data", value)
		if value == "" {
			r.Header.Del("Early-Data")
		}
		tr := &http.Transport{TLSClientConfig: clientTLS("http/1.1")}
		t.Cleanup(tr.CloseIdleConnections)
		res, err := tr.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if got := res.StatusCode; got != want {
			t.Errorf("Early-Data %q: status %d, want %d", value, got, want)
		}
	}
}

// ticketCache tells when the server has given one.
type ticketCache struct {
	tls.ClientSessionCache
	once sync.Once
	got  chan struct{}
}

func (c *ticketCache) Put(key string, s *tls.ClientSessionState) {
	c.ClientSessionCache.Put(key, s)
	if s != nil {
		c.once.Do(func() { close(c.got) })
	}
}

// resumable gives a client's configuration with a ticket for the server, by which it may
// send early data.
func resumable(t *testing.T, addr string) *tls.Config {
	t.Helper()
	cache := &ticketCache{ClientSessionCache: tls.NewLRUClientSessionCache(0), got: make(chan struct{})}
	c := clientTLS(http3.NextProtoH3)
	c.ClientSessionCache = cache
	conn, err := quic.DialAddr(timeout(t), addr, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseWithError(0, "")
	select {
	case <-cache.got:
	case <-timeout(t).Done():
		t.Fatal("the server gives no ticket")
	}
	return c
}

// deaf is a socket that receives nothing until it may.
type deaf struct {
	net.PacketConn
	mayHear chan struct{}
}

func (d *deaf) ReadFrom(p []byte) (int, net.Addr, error) {
	<-d.mayHear
	return d.PacketConn.ReadFrom(p)
}

// sendEarly sends a request that the server answers before it has the end of the
// handshake, because the client hears nothing of it until then.
func sendEarly(t *testing.T, c *integration.Caddy, tickets *tls.Config, r *http.Request) (status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	socket := &deaf{udp, make(chan struct{})}
	hear := sync.OnceFunc(func() { close(socket.mayHear) })
	tr := &quic.Transport{Conn: socket}
	defer func() { hear(); _ = tr.Close(); _ = udp.Close() }()
	to, err := net.ResolveUDPAddr("udp", r.Host)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := tr.DialEarly(ctx, to, tickets, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseWithError(0, "")
	str, err := new(http3.Transport).NewClientConn(conn).OpenRequestStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_ = str.SetDeadline(time.Now().Add(patience))
	if err := str.SendRequestHeader(r); err != nil {
		t.Fatal(err)
	}
	if err := str.Close(); err != nil {
		t.Fatal(err)
	}
	status = logged(t, c, r)
	hear()
	res, err := str.ReadResponse()
	if err != nil || res.StatusCode != status {
		t.Fatalf("%v, %v; the log has status %d", res, err, status)
	}
	return status
}

// logged is the status of an answer in the access log, once it is there.
func logged(t *testing.T, c *integration.Caddy, r *http.Request) int {
	t.Helper()
	var line struct{ Status int }
	_, query, _ := strings.Cut(r.URL.RawQuery, "&")
	text := c.WaitLog(query + `","headers"`)
	if err := json.Unmarshal([]byte(text), &line); err != nil {
		t.Fatal(err)
	}
	return line.Status
}
