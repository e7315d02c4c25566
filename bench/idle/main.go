// Command idle opens connections that then do nothing, and prints what each of
// them costs the server: the growth of its proportional set size (PSS, from
// /proc/<pid>/smaps_rollup, Linux only), and its CPU time while it sits there.
//
//	go run ./bench/idle -pid $(pgrep caddy) -n 5000 -transport websocket ws://localhost:8080/realtime
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

func main() {
	n := flag.Int("n", 5000, "how many connections")
	perRoom := flag.Int("room", 10, "how many connections share a room")
	pid := flag.Int("pid", 0, "the server's process")
	transport := flag.String("transport", "websocket", "websocket or sse")
	rest := flag.Duration("rest", 15*time.Second, "how long to wait before measuring, and to measure")
	flag.Parse()
	dial := map[string]func(*url.URL, string) (net.Conn, error){"websocket": dialWebSocket, "sse": dialStream}[*transport]
	if flag.NArg() != 1 || dial == nil || *pid == 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(dial, flag.Arg(0), *n, *perRoom, *pid, *rest); err != nil {
		fmt.Fprintln(os.Stderr, "idle:", err)
		os.Exit(1)
	}
}

func run(dial func(*url.URL, string) (net.Conn, error), address string, n, perRoom, pid int, rest time.Duration) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	before, err := measure(pid)
	if err != nil {
		return err
	}
	conns := make([]net.Conn, n)
	for i := range conns {
		if conns[i], err = dial(u, fmt.Sprintf("chat:%d", i/perRoom)); err != nil {
			return fmt.Errorf("connection %d: %w", i+1, err)
		}
		if (i+1)%100 == 0 || i+1 == n {
			fmt.Fprintf(os.Stderr, "\r%d of %d connections", i+1, n)
		}
	}
	fmt.Fprintln(os.Stderr)
	connected, err := measure(pid)
	if err != nil {
		return err
	}
	pause(rest)
	start, err := measure(pid)
	if err != nil {
		return err
	}
	pause(rest)
	end, err := measure(pid)
	if err != nil {
		return err
	}
	fmt.Printf("%d connections: %.2f KiB each, connect %.0f µs of CPU each, idle %.1f ms of CPU per second\n", n,
		float64(end.pss-before.pss)/1024/float64(n),
		float64((connected.cpu-before.cpu).Microseconds())/float64(n),
		float64((end.cpu-start.cpu).Microseconds())/1000/rest.Seconds())
	for _, c := range conns {
		_ = c.Close()
	}
	return nil
}

// pause waits, and ends early on Ctrl-C.
func pause(d time.Duration) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func dialWebSocket(u *url.URL, channel string) (net.Conn, error) {
	d := websocket.Dialer{ReadBufferSize: 256, WriteBufferSize: 256}
	ws, _, err := d.Dial(u.String(), nil)
	if err != nil {
		return nil, err
	}
	err = ws.WriteMessage(websocket.TextMessage, []byte(`{"type":"subscribe","payload":{"channel":"`+channel+`"}}`))
	for err == nil {
		var frame []byte
		if _, frame, err = ws.ReadMessage(); strings.Contains(string(frame), `"subscribed"`) {
			break
		}
	}
	return ws.NetConn(), err
}

func dialStream(u *url.URL, channel string) (net.Conn, error) {
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(conn, "GET %s?channel=%s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n", u.Path, channel, u.Host)
	res, err := http.ReadResponse(bufio.NewReaderSize(conn, 512), nil)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s", res.Status)
	}
	return conn, err
}

// figures are what the system knows of a process.
type figures struct {
	pss int
	cpu time.Duration
}

func measure(pid int) (f figures, err error) {
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return f, err
	}
	for line := range strings.Lines(string(rollup)) {
		if fields := strings.Fields(line); fields[0] == "Pss:" {
			f.pss, err = strconv.Atoi(fields[1])
			f.pss *= 1024
		}
	}
	if err != nil {
		return f, err
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return f, err
	}
	_, after, _ := strings.Cut(string(stat), ") ") // behind the name, which may hold spaces
	fields := strings.Fields(after)
	const tick = 10 * time.Millisecond // USER_HZ is 100 wherever Go runs on Linux
	for _, i := range []int{11, 12} {  // user and system time
		n, err := strconv.Atoi(fields[i])
		if err != nil {
			return f, err
		}
		f.cpu += time.Duration(n) * tick
	}
	return f, nil
}
