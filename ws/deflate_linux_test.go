package ws_test

import (
	"context"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// BenchmarkDeflateRoom is a message of 1 KiB to 1,000 members over TCP: the processor time of
// the server and the bytes on the wire. The members are bare descriptors, which are read while
// nothing is measured.
func BenchmarkDeflateRoom(b *testing.B) {
	for _, c := range []struct {
		name, header string
	}{{"off", ""}, {"on", "Sec-WebSocket-Extensions: permessage-deflate\r\n"}} {
		b.Run(c.name, func(b *testing.B) {
			const members, messages = 1000, 20
			n := newDeflateNode(b)
			fds := joinAll(b, n, members, c.header)
			var spent time.Duration
			var got int
			for b.Loop() {
				before := processorTime(b)
				for range messages {
					m := &hub.Message{Channel: "open:room", Content: []byte(list(1024))}
					if _, err := n.hub.Publish(context.Background(), m, ""); err != nil {
						b.Fatal(err)
					}
					time.Sleep(50 * time.Millisecond) // so that each message has writes of its own
				}
				spent += processorTime(b) - before
				for _, fd := range fds {
					got += readAll(b, fd)
				}
			}
			b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N*members*messages), "cpu-ns/delivery")
			b.ReportMetric(float64(got)/float64(b.N*members*messages), "B/delivery")
		})
	}
}

// joinAll connects members of one room.
func joinAll(b *testing.B, n *node, members int, header string) []int {
	addr, err := net.ResolveTCPAddr("tcp", listen(b, n))
	if err != nil {
		b.Fatal(err)
	}
	fds := make([]int, members)
	for i := range fds {
		fds[i] = bareDial(b, addr.Port, header)
		bareSend(b, fds[i], text(`{"type":"subscribe","payload":{"channel":"open:room"}}`), "subscribed")
		b.Cleanup(func() { _ = unix.Close(fds[i]) })
	}
	return fds
}

// readAll reads what has arrived at a descriptor.
func readAll(b *testing.B, fd int) (n int) {
	buf := make([]byte, 64<<10)
	for {
		more, _, err := unix.Recvfrom(fd, buf, unix.MSG_DONTWAIT)
		if err == unix.EAGAIN {
			return n
		}
		if err != nil || more == 0 {
			b.Fatalf("%d bytes, %v", more, err)
		}
		n += more
	}
}

// processorTime is what the process has used so far.
func processorTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
