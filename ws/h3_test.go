package ws_test

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// listenH3 serves h on HTTP/3 and returns the address.
func listenH3(t testing.TB, h http.Handler) string {
	t.Helper()
	borrowed := httptest.NewTLSServer(nil)
	certificates := borrowed.TLS.Certificates
	borrowed.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http3.Server{
		Handler:   h,
		TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: certificates}),
		Logger:    slog.New(slog.DiscardHandler),
	}
	served := make(chan error)
	go func() { served <- s.Serve(udp) }()
	t.Cleanup(func() {
		_ = s.Close()
		<-served
		_ = udp.Close()
	})
	return udp.LocalAddr().String()
}

// dialH3 opens a WebSocket on a QUIC connection of its own.
func dialH3(t testing.TB, addr string, header http.Header) (*wire, *http.Response) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	conn, err := quic.DialAddr(ctx, addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{http3.NextProtoH3}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseWithError(0, "") })
	str, err := new(http3.Transport).NewClientConn(conn).OpenRequestStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_ = str.SetDeadline(time.Now().Add(20 * time.Second))
	r := &http.Request{
		Method: http.MethodConnect, Proto: "websocket", Host: addr,
		URL:    &url.URL{Scheme: "https", Host: addr, Path: "/realtime"},
		Header: http.Header{"Sec-Websocket-Version": {"13"}},
	}
	for k, v := range header {
		r.Header[k] = v
	}
	if err := str.SendRequestHeader(r); err != nil {
		t.Fatal(err)
	}
	res, err := str.ReadResponse()
	if err != nil {
		t.Fatal(err)
	}
	return newWire(t, str), res
}

func TestHTTP3(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	addr := listenH3(t, chained(n))
	testStreams(t, n, func(t *testing.T, h http.Header) (*wire, *http.Response) { return dialH3(t, addr, h) })
}

// A client that takes nothing is given up after the write timeout.
func TestHTTP3StuckInFlowControl(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{WriteTimeout: 100 * time.Millisecond, QueueBytes: 1 << 30, QueueMessages: 1 << 20})
	h := chained(n)
	returned := make(chan struct{})
	addr := listenH3(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r)
		close(returned)
	}))
	w, _ := dialH3(t, addr, nil)
	c := n.conn(w)
	for range 100 { // more than a client grants that reads nothing
		c.Send(raw(make([]byte, 64<<10)))
	}
	<-returned
}
