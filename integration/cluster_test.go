//go:build unix

package integration

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/internal/freeport"
	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
	"github.com/caddy-realtime/caddy-realtime/internal/spawn"
)

// exampleCluster is what tools/cluster has started.
type exampleCluster struct {
	t     *testing.T
	cmd   *exec.Cmd
	front string         // URL of the balancer
	nodes []string       // URLs
	pids  map[string]int // of the nodes, by URL
	over  chan *os.ProcessState
}

var saidNode = regexp.MustCompile(`a node on (http://\S+), process (\d+)`)

// startCluster runs the script in a process group of its own, as a terminal would.
func startCluster(t *testing.T) *exampleCluster {
	t.Helper()
	c := &exampleCluster{t: t, pids: make(map[string]int), over: make(chan *os.ProcessState, 1)}
	port := func() string {
		addr := freeport.Addr(t)
		return addr[strings.LastIndexByte(addr, ':')+1:]
	}
	front, nodes := port(), []string{port(), port(), port()}
	c.cmd = exec.Command(filepath.Join(root(), "tools", "cluster"))
	c.cmd.Env = append(os.Environ(), "CADDY="+build(t), "CLUSTER_PORT="+front, "CLUSTER_NODES="+strings.Join(nodes, " "))
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.cmd.Stdout, c.cmd.Stderr = in, in
	// Killed the script would leave its processes behind; asked to end it takes them along.
	over, err := spawn.Start(c.cmd, syscall.SIGTERM)
	if err != nil {
		t.Fatal(err)
	}
	in.Close()
	t.Cleanup(func() { _ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) }) // whoever is left
	ready := make(chan bool)
	go func() {
		defer out.Close()
		defer close(ready)
		var log bytes.Buffer
		for lines := bufio.NewScanner(out); lines.Scan(); {
			line := lines.Text()
			log.WriteString(line + "\n")
			if node := saidNode.FindStringSubmatch(line); node != nil {
				c.nodes = append(c.nodes, node[1])
				c.pids[node[1]], _ = strconv.Atoi(node[2])
			}
			if strings.Contains(line, "all of them on") {
				c.front = line[strings.Index(line, "http://"):strings.Index(line, ";")]
				ready <- true
			}
		}
		<-over
		c.over <- c.cmd.ProcessState
		if t.Failed() {
			t.Logf("the script said:\n%s", log.String())
		}
	}()
	if !<-ready {
		t.Fatal("the cluster does not start")
	}
	return c
}

// interrupt does what Ctrl-C does, and waits until nothing is left.
func (c *exampleCluster) interrupt() {
	c.t.Helper()
	group := -c.cmd.Process.Pid
	if err := syscall.Kill(group, syscall.SIGINT); err != nil {
		c.t.Fatal(err)
	}
	select {
	case state := <-c.over:
		if !state.Success() {
			c.t.Errorf("the script has ended with %v", state)
		}
	case <-time.After(startLimit):
		c.t.Fatal("the cluster does not end")
	}
	if err := syscall.Kill(group, 0); !errors.Is(err, syscall.ESRCH) {
		c.t.Errorf("processes of the cluster are left over: %v", err)
	}
}

// visitor is somebody with the chat open.
type visitor struct {
	t    *testing.T
	conn *websocket.Conn
	id   string // of the connection, and of the member
}

// chatEvent is what the server says. What is published here has a text as content.
type chatEvent struct {
	Type    string
	Payload struct {
		Connection, Epoch, Anchor string
		Offset                    int
		Recovered                 bool
		Count                     int
		Content                   string
		Messages                  []struct{ Content string }
	}
}

// at is the place of a message in the epoch of the subscription ev, to recover from.
func (ev chatEvent) at(message chatEvent) map[string]any {
	return map[string]any{"epoch": ev.Payload.Epoch, "offset": message.Payload.Offset, "anchor": message.Payload.Anchor}
}

// visit opens the chat, where it was left off if place is not nil.
func visit(t *testing.T, url string, place map[string]any) (*visitor, chatEvent) {
	t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(url, "http")+"/realtime", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	v := &visitor{t: t, conn: conn}
	v.id = v.until("connected").Payload.Connection
	payload := map[string]any{"channel": "chat:lobby"}
	if place != nil {
		payload["recover"] = place
	}
	if err := conn.WriteJSON(map[string]any{"type": "subscribe", "payload": payload}); err != nil {
		t.Fatal(err)
	}
	return v, v.until("subscribed")
}

// until reads up to an event of a type.
func (v *visitor) until(kind string) (ev chatEvent) {
	v.t.Helper()
	_ = v.conn.SetReadDeadline(time.Now().Add(startLimit))
	for ev.Type != kind {
		ev = chatEvent{}
		if err := v.conn.ReadJSON(&ev); err != nil {
			v.t.Fatalf("waiting for %s: %v", kind, err)
		}
	}
	return ev
}

// reads waits for a message.
func (v *visitor) reads(content string) chatEvent {
	v.t.Helper()
	ev := v.until("message")
	if ev.Payload.Content != content {
		v.t.Errorf("read %q, want %q", ev.Payload.Content, content)
	}
	return ev
}

// say publishes over a node or, in spite of nodes that die, over the balancer, which
// takes a key for leave to ask another node.
func say(t *testing.T, url, content string) {
	t.Helper()
	res, body := request(t, http.MethodPost, url+"/realtime/channels/chat:lobby/messages", `{"content": "`+content+`"}`,
		"Content-Type", "application/json", "Idempotency-Key", rand.Text())
	if res.StatusCode != http.StatusOK {
		t.Errorf("publishing is answered with %s: %s", res.Status, body)
	}
}

// present waits until a node names these members and no others.
func present(t *testing.T, url string, ids ...string) {
	t.Helper()
	var body string
	for over := time.Now().Add(startLimit); time.Now().Before(over); time.Sleep(50 * time.Millisecond) {
		var page struct{ Count int }
		_, body = request(t, http.MethodGet, url+"/realtime/channels/chat:lobby/presence", "")
		right := json.Unmarshal([]byte(body), &page) == nil && page.Count == len(ids)
		for _, id := range ids {
			right = right && strings.Contains(body, `"`+id+`"`)
		}
		if right {
			return
		}
	}
	t.Errorf("%s names %s, want %q", url, body, ids)
}

// What `make cluster` starts is one chat; it goes on when a node is killed, and
// nothing is left of it afterwards.
func TestExampleCluster(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	a, b, other := c.nodes[0], c.nodes[1], c.nodes[2]
	ann, begin := visit(t, a, nil)
	ben, _ := visit(t, b, nil)
	carl, _ := visit(t, c.front, nil) // wherever the balancer sends him
	lost, _ := visit(t, a, nil)       // does not come back
	say(t, a, "one")
	place := begin.at(ann.reads("one"))
	for _, v := range []*visitor{ben, carl, lost} {
		v.reads("one")
	}
	present(t, other, ann.id, ben.id, carl.id, lost.id)
	if res, body := request(t, http.MethodGet, c.front+"/chat.js", ""); res.StatusCode != http.StatusOK || !strings.Contains(body, "connect(") {
		t.Errorf("the page is answered with %s: %.100s", res.Status, body)
	}

	c.killWhilePublishing(a, "two")
	for range said {
		ben.reads("two")
	}
	say(t, c.front, "three")
	ben.reads("three")
	ann, ev := visit(t, c.front, place)
	if ms := ev.Payload.Messages; !ev.Payload.Recovered || len(ms) != said+1 || ms[0].Content != "two" || ms[said-1].Content != "two" || ms[said].Content != "three" {
		t.Errorf("behind the balancer ann gets %+v", ev.Payload)
	}
	members := []string{ann.id, ben.id}
	if carl.gets("three") {
		members = append(members, carl.id)
	}
	present(t, other, members...)
	stream := follow(t, c.front+"/realtime", "", "chat:lobby")
	say(t, other, "four")
	stream.until(`"four"`)
	stream.end()
	c.interrupt()
}

// said is how many messages are published while a node dies.
const said = 8

// killWhilePublishing kills a node that has got requests from the balancer and does
// not answer them any more.
func (c *exampleCluster) killWhilePublishing(node, content string) {
	c.t.Helper()
	if err := syscall.Kill(c.pids[node], syscall.SIGSTOP); err != nil {
		c.t.Fatal(err)
	}
	var all sync.WaitGroup
	answered := make(chan struct{}, said)
	for range said {
		all.Go(func() {
			defer func() { answered <- struct{}{} }()
			say(c.t, c.front, content)
		})
	}
	// The balancer prefers whoever has the fewest requests, so that one or two wait
	// for the node, and the others are answered.
	for range said / 2 {
		<-answered
	}
	if err := syscall.Kill(c.pids[node], syscall.SIGKILL); err != nil {
		c.t.Error(err)
	}
	all.Wait()
}

// gets reports whether a message comes, or else the visitor was cut off.
func (v *visitor) gets(content string) bool {
	_ = v.conn.SetReadDeadline(time.Now().Add(startLimit))
	for {
		var ev chatEvent
		if err := v.conn.ReadJSON(&ev); err != nil {
			return false
		}
		if ev.Type == "message" && ev.Payload.Content == content {
			return true
		}
	}
}

// The script says what it lacks, before it starts anything.
func TestExampleClusterSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	busy := redistest.Start(t)
	port := busy.Addr[strings.LastIndexByte(busy.Addr, ':')+1:]
	for want, env := range map[string][]string{
		"make build":   {"CADDY=/nowhere/caddy"},
		"install it":   {"CADDY=/bin/sh", "PATH=" + onlyShell(t)},
		"port " + port: {"CADDY=/bin/sh", "CLUSTER_PORT=" + port},
	} {
		cmd := exec.Command(filepath.Join(root(), "tools", "cluster"))
		cmd.Env = append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("with %q: %v, %s", env, err, out)
		}
	}
}

// onlyShell is a directory of programs without a Redis.
func onlyShell(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, program := range []string{"bash", "dirname", "env"} {
		path, err := exec.LookPath(program)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(dir, program)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
