package drills

import (
	"bytes"
	"encoding/binary"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

const malformedSite = `
{
	admin {{admin}}
	log {
		exclude http realtime
	}
}
http://{{site}} {
	realtime /rt {
		room open:* {
			subscribe anyone
			publish anyone
			history 100
		}
	}
}
`

// malformed are frames that no client may send, each with its masked header. The first ones
// are answered, and too many of them close the connection; each other one closes it at once.
func malformed() (frames [][]byte) {
	for _, text := range []string{
		"", "hello", `{"type":"ping"`, `{"type":"ping"} {}`, `["ping"]`, `{"payload":{}}`, `{"type":1}`, `{"type":"dance"}`,
		strings.Repeat("[", 1000), `{"type":"subscribe","payload":{"channel":"\u0007"}}`,
	} {
		frames = append(frames, maskedFrame(0x81, text))
	}
	return append(frames,
		maskedFrame(0x81, "{\"type\":\"\xff\"}"),                  // no UTF-8
		maskedFrame(0x82, `{"type":"ping"}`),                      // binary
		maskedFrame(0x83, "x"),                                    // an unknown kind of frame
		maskedFrame(0xc1, "x"),                                    // a reserved bit
		maskedFrame(0x09, ""),                                     // a ping in fragments
		maskedFrame(0x89, strings.Repeat("x", 126)),               // a ping that is too long
		maskedFrame(0x80, "x"),                                    // the end of nothing
		maskedFrame(0x88, "x"),                                    // half of a close code
		[]byte{0x81, 0x01, 'x'},                                   // no mask
		[]byte{0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, // a negative length
	)
}

// maskedFrame is a frame with an empty mask.
func maskedFrame(head byte, text string) []byte {
	frame := []byte{head, 0x80 | byte(len(text))}
	if len(text) > 125 {
		frame = binary.BigEndian.AppendUint16([]byte{head, 0x80 | 126}, uint16(len(text)))
	}
	return append(append(frame, 0, 0, 0, 0), text...)
}

// TestMalformed sends malformed frames over one connection after the other, which the server
// closes. A crowd notices nothing, and nothing is left of it.
func TestMalformed(t *testing.T) {
	t.Parallel()
	frames := sized(20_000, 1_000_000)
	row := newRow(t, "every connection is closed; no gap for others; heap within 8 MiB, goroutines within 20 of before", "%d malformed frames", frames)
	p := integration.StartProcess(t, malformedSite)
	base, server := "http://"+p.Addr("site")+"/rt", profile{t, p.Addr("admin")}
	d := newDrill(t, base, checker.Options{})
	channels := channelsOf("open", 4)
	for i := range 40 {
		d.hold(d.subscriber(channels[i%4]))
	}
	d.gathered()
	d.publisher(&publisher{name: "ws", way: &byWS{base: base}, pick: turns(channels, 1), pause: 10 * time.Millisecond})
	d.publish()
	sendMalformed(t, base, 1000) // fills pools
	heap, goroutines := server.heap(), server.goroutines()

	began := time.Now()
	conns := sendMalformed(t, base, frames)
	took := time.Since(began)
	d.settle()
	r := d.verdict()
	if r.Gaps > 0 {
		t.Errorf("%d gaps", r.Gaps)
	}
	until(t, "the goroutines are as many as before", func() bool { return server.goroutines() <= goroutines+20 })
	growth := server.heap() - heap
	if growth > 8<<20 {
		t.Errorf("%s more are in use than before", mib(growth))
	}
	row.came("%d connections were closed in %.1f s; heap %+.1f MiB; %s", conns, took.Seconds(), float64(growth)/(1<<20), summary(d, r))
}

// sendMalformed sends so many frames, and returns over how many connections. Of the frames that
// are answered each connection sends as many as close it, and one of the others.
func sendMalformed(t *testing.T, base string, frames int) int {
	t.Helper()
	const perConn = 25
	kinds := malformed()
	answered := len(kinds) - 10
	conns := (frames + perConn - 1) / perConn
	var open atomic.Int64
	abreast(conns, func(i int) {
		c, err := openWS(dialer(), base, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.close()
		if tcp, ok := c.conn.NetConn().(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // the ports of so many connections must be free at once
		}
		var burst bytes.Buffer
		for k := range perConn {
			burst.Write(kinds[(i+k)%answered])
		}
		if i%3 == 0 {
			burst.Reset()
			for k := range perConn {
				burst.Write(kinds[answered+(i/3+k)%(len(kinds)-answered)])
			}
		}
		_, _ = c.conn.NetConn().Write(burst.Bytes())
		if _, text := c.closed(); strings.Contains(text, "i/o timeout") {
			open.Add(1)
		}
	})
	if n := open.Load(); n > 0 {
		t.Errorf("%d connections were not closed", n)
	}
	return conns
}
