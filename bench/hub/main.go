// Command hub is the chat server that a textbook writes with gorilla/websocket: per room
// a goroutine with a map of the members, and per connection two goroutines and a channel
// of 256 messages. A client whose channel is full is closed.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"

	"github.com/gorilla/websocket"
)

// room is one room. Its goroutine alone uses members.
type room struct {
	members     map[*member]bool
	join, leave chan *member
	messages    chan []byte
}

type member struct {
	conn *websocket.Conn
	send chan []byte
}

func (r *room) run() {
	for {
		select {
		case m := <-r.join:
			r.members[m] = true
		case m := <-r.leave:
			r.drop(m)
		case text := <-r.messages:
			for m := range r.members {
				select {
				case m.send <- text:
				default:
					r.drop(m)
				}
			}
		}
	}
}

func (r *room) drop(m *member) {
	if r.members[m] {
		delete(r.members, m)
		close(m.send)
	}
}

func (m *member) read(r *room) {
	defer func() { r.leave <- m }()
	for {
		_, text, err := m.conn.ReadMessage()
		if err != nil {
			return
		}
		r.messages <- text
	}
}

func (m *member) write() {
	defer m.conn.Close()
	for text := range m.send {
		if m.conn.WriteMessage(websocket.TextMessage, text) != nil {
			return
		}
	}
}

var (
	mu       sync.Mutex
	rooms    = make(map[string]*room) // guarded by mu; a room stays for good
	upgrader websocket.Upgrader
)

func find(name string) *room {
	mu.Lock()
	defer mu.Unlock()
	r := rooms[name]
	if r == nil {
		r = &room{members: make(map[*member]bool), join: make(chan *member), leave: make(chan *member), messages: make(chan []byte)}
		rooms[name] = r
		go r.run()
	}
	return r
}

func serve(w http.ResponseWriter, req *http.Request) {
	conn, err := upgrader.Upgrade(w, req, nil)
	if err != nil {
		return
	}
	r, m := find(strings.TrimPrefix(req.URL.Path, "/ws/")), &member{conn: conn, send: make(chan []byte, 256)}
	r.join <- m
	go m.write()
	go m.read(r)
}

func main() {
	collect := make(chan os.Signal, 1)
	signal.Notify(collect, syscall.SIGUSR1)
	go func() {
		for range collect {
			debug.FreeOSMemory()
		}
	}()
	http.HandleFunc("/ws/", serve)
	var err error
	switch len(os.Args) {
	case 2:
		err = http.ListenAndServe(os.Args[1], nil) //nolint:gosec // a server of the bench
	case 4:
		err = http.ListenAndServeTLS(os.Args[1], os.Args[2], os.Args[3], nil) //nolint:gosec // a server of the bench
	default:
		err = fmt.Errorf("usage: hub <address> [<certificate> <key>]")
	}
	log.Fatal(err)
}
