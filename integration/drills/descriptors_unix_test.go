//go:build unix

package drills

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/integration"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

const descriptorsSite = `
http://{{site}} {
	realtime /rt {
		api_key {env.REALTIME_TEST_KEY}
		store {env.REALTIME_TEST_STORE}
		room news:* {
			subscribe anyone
			publish anyone
			history 1000
		}
	}
}
`

// TestDescriptors lets strangers take all files that the process may have open. The clients
// that are connected get everything, also from the store. When the strangers are gone, new
// clients are let in.
func TestDescriptors(t *testing.T) {
	t.Parallel()
	const files = 200
	row := newRow(t, "those who are there get everything; new ones are let in afterwards", "%d connections to a process that may have %d files open", 2*files, files)
	p := integration.StartProgram(t, withFiles(t, files), descriptorsSite, "REALTIME_TEST_KEY="+appKey, "REALTIME_TEST_STORE="+t.TempDir())
	addr := p.Addr("site")
	d := newDrill(t, "http://"+addr+"/rt", checker.Options{})
	channels := channelsOf("news", 4)
	for i := range 20 {
		d.hold(d.subscriber(channels[i%4]))
		d.hold(d.streamer(false, channels[i%4]))
	}
	d.gathered()
	d.publisher(&publisher{name: "ws", way: &byWS{base: d.base}, pick: turns(channels, 1), pause: 5 * time.Millisecond})
	d.publish()
	d.goOn(10)

	strangers := make([]net.Conn, 2*files)
	abreast(len(strangers), func(i int) { strangers[i] = knock(t, addr) })
	if c, err := openWS(impatient, d.base, nil); err == nil {
		c.close()
		t.Error("a client is let in although there are no files left")
	}
	before := d.acked()
	time.Sleep(sized(2*time.Second, 20*time.Second))
	during := d.acked() - before
	if during == 0 {
		t.Error("nothing is acknowledged while there are no files left")
	}
	for _, conn := range strangers {
		_ = conn.Close()
	}
	left := time.Now()
	until(t, "new clients are let in", func() bool {
		c, err := openWS(impatient, d.base, nil)
		if err == nil {
			c.close()
		}
		return err == nil
	})
	back := time.Since(left)
	d.goOn(10)
	d.settle()
	r := d.verdict()
	row.came("%d acknowledged meanwhile; a new client is let in %v after they are gone; %s", during, back.Round(time.Millisecond), summary(d, r))
}

// impatient gives up a handshake after a second.
var impatient = &websocket.Dialer{HandshakeTimeout: time.Second}

// withFiles is a program that runs Caddy with a limit of open files.
func withFiles(t *testing.T, files int) string {
	t.Helper()
	script := filepath.Join(t.TempDir(), "caddy")
	text := fmt.Sprintf("#!/bin/sh\nulimit -n %d\nexec '%s' \"$@\"\n", files, integration.Program(t))
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return script
}

// knock begins a handshake and does not wait for the answer.
func knock(t *testing.T, addr string) net.Conn {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Error(err)
		return nil
	}
	_, _ = io.WriteString(conn, "GET /rt HTTP/1.1\r\nHost: "+addr+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	return conn
}
