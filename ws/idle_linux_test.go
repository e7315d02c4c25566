package ws_test

import (
	"bytes"
	"fmt"
	"net"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// BenchmarkIdle reports what an idle connection costs the heap and the stacks:
// HTTP/1.1 without TLS, in a room of ten. The clients are bare descriptors, which
// cost nothing here. Only the first round of a process counts, because ended
// goroutines leave stacks for others to use: run it alone, with -benchtime 1x.
func BenchmarkIdle(b *testing.B) {
	idle(b, newNode(b, hub.Settings{}), "")
}

// BenchmarkDeflateMemory is the same for connections with permessage-deflate.
func BenchmarkDeflateMemory(b *testing.B) {
	idle(b, newDeflateNode(b), "Sec-WebSocket-Extensions: permessage-deflate\r\n")
}

func idle(b *testing.B, n *node, header string) {
	const conns = 4000
	addr, err := net.ResolveTCPAddr("tcp", listen(b, n))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		heap, stacks := inUse()
		fds := make([]int, conns)
		for i := range fds {
			fds[i] = bareDial(b, addr.Port, header)
			bareSend(b, fds[i], text(fmt.Sprintf(`{"type":"subscribe","payload":{"channel":"open:%d"}}`, i/10)), "subscribed")
		}
		moreHeap, moreStacks := inUse()
		b.ReportMetric(float64(moreHeap-heap)/conns, "heap-B/conn")
		b.ReportMetric(float64(moreStacks-stacks)/conns, "stack-B/conn")
		for _, fd := range fds {
			_ = unix.Close(fd)
		}
	}
}

// inUse is what the heap and the stacks hold after a collection.
func inUse() (heap, stacks int64) {
	var m runtime.MemStats
	for range 3 { // stacks shrink by half at a time
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc), int64(m.StackInuse)
}

func bareDial(b *testing.B, port int, header string) int {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	}
	if err != nil {
		b.Fatal(err)
	}
	request := "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + testKey + "\r\n" + header + "\r\n"
	bareSend(b, fd, []byte(request), "connected")
	return fd
}

// bareSend sends p and reads until the answer contains a word.
func bareSend(b *testing.B, fd int, p []byte, until string) {
	if _, err := unix.Write(fd, p); err != nil {
		b.Fatal(err)
	}
	var got []byte
	for buf := make([]byte, 4096); !bytes.Contains(got, []byte(`"`+until+`"`)); {
		n, err := unix.Read(fd, buf)
		if err != nil || n == 0 {
			b.Fatalf("%q, then %v", got, err)
		}
		got = append(got, buf[:n]...)
	}
}
