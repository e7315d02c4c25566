package drills

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/internal/editor"
)

// TestClusterDocuments has many edit one document on all nodes at once, each with a bad
// connection of its own, while links to Redis break and Redis itself is killed and comes
// back with its log. In the end all have the same, each change that was accepted was
// made once, and nobody has seen a state that is not one of the document's versions.
func TestClusterDocuments(t *testing.T) {
	t.Parallel()
	c := startCluster(t, durable...)
	const channel = "doc:1"
	seed, seen := rand.Uint64(), new(editor.Seen)
	t.Logf("seed %d", seed)
	var editors []*editor.Editor
	for i := range sized(12, 20) {
		editors = append(editors, editor.New(t, fmt.Sprint("u", i), channel, seed+uint64(i), seen, func(user string) (editor.Line, error) {
			return dialEditor(t, c.nodes[rand.N(len(c.nodes))].base, user)
		}))
	}
	over := make(chan struct{})
	var wg sync.WaitGroup
	for _, e := range editors {
		wg.Go(func() {
			for tick := time.NewTicker(4 * time.Millisecond); ; {
				select {
				case <-over:
					tick.Stop()
					return
				case <-tick.C:
					e.Act()
				}
			}
		})
	}
	kills, faults := sized(2, 10), 0
	for range kills {
		faults += c.breakLinks(sized(2*time.Second, 20*time.Second))
		c.redis.Kill()
		time.Sleep(rand.N(time.Second))
		c.redis.Restart()
	}
	faults += c.breakLinks(sized(2*time.Second, 20*time.Second))
	close(over)
	wg.Wait()
	until(t, "everything is answered", func() bool {
		all := true
		for _, e := range editors {
			all = e.Finish() && all
		}
		return all
	})
	version, state := documentOf(t, c.nodes[0].base, channel)
	until(t, "everything has arrived", func() bool {
		for _, e := range editors {
			if e.Read(); e.Version() < version {
				return false
			}
		}
		return true
	})
	for i := range c.nodes {
		if v, s := documentOf(t, c.nodes[i].base, channel); v != version || s != state {
			t.Errorf("node %d has version %d, %s, another one %d, %s", i, v, s, version, state)
		}
	}
	editor.Judge(t, editors, version, state)
	result(t, "one document, links broken and Redis killed", "one document; each change once", "%d editors on %d nodes, %d changes made, %d faults of links, Redis killed %d times",
		len(editors), len(c.nodes), version, faults, kills)
}

// documentOf reads a document.
func documentOf(t *testing.T, base, channel string) (version uint64, state string) {
	t.Helper()
	res, err := http.Get(base + "/channels/" + channel + "/document")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Realtime-Stale") != "" {
		t.Fatalf("%s %v: %v", res.Status, res.Header, err)
	}
	_, number, _ := strings.Cut(strings.Trim(res.Header.Get("ETag"), `"`), "-")
	if version, err = strconv.ParseUint(number, 10, 64); err != nil {
		t.Fatal(err)
	}
	return version, string(text)
}

// editorLine is the WebSocket of an editor. A goroutine reads until it ends.
type editorLine struct {
	t    *testing.T
	conn *wsClient

	mortal bool // the server may be killed; static

	mu     sync.Mutex
	frames []string
	lost   bool // by the editor
}

func dialEditor(t *testing.T, base, user string) (editor.Line, error) {
	conn, err := openWS(dialer(), base, http.Header{"X-User": {user}})
	if err != nil {
		t.Errorf("%s can not connect: %v", user, err)
		return nil, err
	}
	return follow(t, &editorLine{t: t, conn: conn}), nil
}

// follow reads what comes over a line, until the test is over.
func follow(t *testing.T, l *editorLine) *editorLine {
	over := make(chan struct{})
	go func() {
		defer close(over)
		l.read()
	}()
	t.Cleanup(func() {
		l.Lose()
		<-over
	})
	return l
}

func (l *editorLine) read() {
	for {
		_, frame, err := l.conn.conn.ReadMessage()
		l.mu.Lock()
		if err == nil {
			l.frames = append(l.frames, string(frame))
		} else if l.mortal {
			l.frames = append(l.frames, `{"type":"gap"}`) // the editor connects again
		} else if !l.lost {
			l.t.Errorf("a connection has ended: %v", err)
		}
		l.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Say implements [editor.Line].
func (l *editorLine) Say(frame string) {
	if err := l.conn.write(websocket.TextMessage, []byte(frame)); err != nil && !l.mortal {
		l.t.Errorf("%s: %v", frame, err)
	}
}

// Take implements [editor.Line].
func (l *editorLine) Take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	frames := l.frames
	l.frames = nil
	return frames
}

// Lose implements [editor.Line].
func (l *editorLine) Lose() {
	l.mu.Lock()
	l.lost = true
	l.mu.Unlock()
	l.conn.close()
}
