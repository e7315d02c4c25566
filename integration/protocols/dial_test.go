package protocols

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"golang.org/x/net/http2"

	// The server in this process announces WebSockets over HTTP/2.
	_ "github.com/caddy-realtime/caddy-realtime/internal/xconnect"
)

// dialers open a WebSocket at https://<addr>/rt, or at the path of target, each over a version of HTTP and on
// a connection of its own.
var dialers = []struct {
	name   string
	dial   func(t testing.TB, addr string) (*wire, *http.Response)
	status int
	method string // in the access log
	proto  string // in the access log
}{
	{"HTTP/1.1", dialH1, http.StatusSwitchingProtocols, "GET", "HTTP/1.1"},
	{"HTTP/2", dialH2, http.StatusOK, "CONNECT", "HTTP/2.0"},
	{"HTTP/3", dialH3, http.StatusOK, "CONNECT", "websocket"},
}

// dialAll opens a WebSocket over each version and subscribes to a channel.
func dialAll(t testing.TB, addr, channel string) (wires []*wire) {
	t.Helper()
	for _, d := range dialers {
		w, res := d.dial(t, addr)
		if res.StatusCode != d.status {
			t.Fatalf("%s: %s", d.name, res.Status)
		}
		w.name = d.name
		w.subscribe(channel)
		wires = append(wires, w)
	}
	return wires
}

// target splits an address with a path behind it. The path of an address alone is /rt.
func target(addr string) (host, uri string) {
	if host, path, ok := strings.Cut(addr, "/"); ok {
		return host, "/" + path
	}
	return addr, "/rt"
}

// patience is how long a conversation may take.
const patience = 30 * time.Second

func timeout(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func clientTLS(proto string) *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, NextProtos: []string{proto}}
}

func dialH1(t testing.TB, addr string) (*wire, *http.Response) {
	t.Helper()
	addr, uri := target(addr)
	conn, err := tls.Dial("tcp", addr, clientTLS("http/1.1"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	r, err := http.NewRequest(http.MethodGet, "https://"+addr+uri, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Accept-Encoding": {"gzip"},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="},
	}
	if err := r.Write(conn); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, r)
	if err != nil {
		t.Fatal(err)
	}
	return &wire{t: t, out: conn, in: in}, res
}

func dialH2(t testing.TB, addr string) (*wire, *http.Response) {
	t.Helper()
	addr, uri := target(addr)
	tr := &http2.Transport{TLSClientConfig: clientTLS("h2")}
	t.Cleanup(tr.CloseIdleConnections)
	body, out := io.Pipe()
	r, err := http.NewRequestWithContext(timeout(t), http.MethodConnect, "https://"+addr+uri, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{":protocol": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Accept-Encoding": {"gzip"}}
	res, err := tr.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Close(); _ = res.Body.Close() })
	return &wire{t: t, out: out, in: bufio.NewReader(res.Body)}, res
}

func dialH3(t testing.TB, addr string) (*wire, *http.Response) {
	t.Helper()
	ctx := timeout(t)
	addr, uri := target(addr)
	path, query, _ := strings.Cut(uri, "?")
	conn, err := quic.DialAddr(ctx, addr, clientTLS(http3.NextProtoH3), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseWithError(0, "") })
	str, err := new(http3.Transport).NewClientConn(conn).OpenRequestStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_ = str.SetDeadline(time.Now().Add(patience))
	err = str.SendRequestHeader(&http.Request{
		Method: http.MethodConnect, Proto: "websocket", Host: addr,
		URL:    &url.URL{Scheme: "https", Host: addr, Path: path, RawQuery: query},
		Header: http.Header{"Sec-Websocket-Version": {"13"}, "Accept-Encoding": {"gzip"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	res, err := str.ReadResponse()
	if err != nil {
		t.Fatal(err)
	}
	return &wire{t: t, out: str, in: bufio.NewReader(str)}, res
}
