package attacks

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// listenAudit takes the log `audit` of the server, which sends every line of its own
// to the address. It gives each line to the auditor.
func listenAudit(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for { // a server that is started again connects again
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { audit.read(conn) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return l.Addr().String()
}

// audit is the log of the server.
var audit = &auditor{grown: make(chan struct{})}

// marker is in every text that tries to forge a line of the log.
const marker = "forged"

// auditor looks at each line when it is written, and keeps nothing but what is
// wrong and the names of the fields with the marker.
type auditor struct {
	mu     sync.Mutex
	grown  chan struct{} // closed, and replaced, with each line that has the marker
	lines  int
	faults []string
	marked map[string]int // fields with the marker, by name
}

// read reads lines until the server ends. What it was writing then is no line.
func (a *auditor) read(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		a.take(line[:len(line)-1])
	}
}

func (a *auditor) take(line []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lines++
	if fault := a.examine(line); fault != "" {
		a.faults = append(a.faults, fmt.Sprintf("%s: %.300q", fault, line))
	}
}

// examine says what is wrong with a line. An entry with a line break in it is two
// lines, neither of which is JSON, unless it was forged well: then the marker stands
// where it must not.
func (a *auditor) examine(line []byte) string {
	if i := bytes.IndexFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }); i >= 0 {
		return "a control character"
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(line, &fields); err != nil {
		return "not JSON"
	}
	if !bytes.Contains(line, []byte(marker)) {
		return ""
	}
	close(a.grown)
	a.grown = make(chan struct{})
	return a.note(fields)
}

// note takes note of the fields with the marker. The message is the server's own.
func (a *auditor) note(fields map[string]json.RawMessage) string {
	if a.marked == nil {
		a.marked = make(map[string]int)
	}
	for name, value := range fields {
		switch in := bytes.Contains(value, []byte(marker)); {
		case strings.Contains(name, marker):
			return "a field of the client's"
		case in && (name == "msg" || name == "level" || name == "logger" || name == "ts"):
			return "the client's text as " + name
		case in:
			a.marked[name]++
		}
	}
	return ""
}

// findings gives the count of lines, what is wrong with them, and the fields with
// the marker.
func (a *auditor) findings() (lines int, faults []string, marked map[string]int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	marked = make(map[string]int)
	for name, n := range a.marked {
		marked[name] = n
	}
	return a.lines, a.faults, marked
}

// await waits until a field has the marker this often.
func (a *auditor) await(name string, n int) bool {
	end := time.After(patience)
	for {
		a.mu.Lock()
		count, grown := a.marked[name], a.grown
		a.mu.Unlock()
		if count >= n {
			return true
		}
		select {
		case <-grown:
		case <-end:
			return false
		}
	}
}
