// Package hub is the chat server that a textbook writes with gorilla/websocket: per room
// a goroutine with a map of the members, and per connection two goroutines and a channel
// of 256 messages. A client whose channel is full is closed.
package hub

import (
	"net/http"
	"strings"
	"sync"

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

// Serve listens at an address, over TLS if there are files of a certificate and its key.
func Serve(addr string, certificate []string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/ws/", serve)
	if len(certificate) == 2 {
		return http.ListenAndServeTLS(addr, certificate[0], certificate[1], mux) //nolint:gosec // a server of the bench
	}
	return http.ListenAndServe(addr, mux) //nolint:gosec // a server of the bench
}
