package session

import (
	"maps"
	"strconv"
	"sync/atomic"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/internal/tally"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Source is the way on which a message was published.
type Source uint8

// The sources.
const (
	FromWebSocket Source = iota // a client, over its connection
	FromHTTP                    // a client, over the HTTP API: clients with event streams do
	FromAPI                     // the app, with an API key
	sources
)

// String returns the name of the source for operators.
func (s Source) String() string { return [...]string{"websocket", "http", "api"}[s] }

// Rejection is what the rejected commands and handshakes have in common that are counted
// together.
type Rejection struct {
	// Action is a word of the server: `connect`, `http` for the HTTP API, the type of a
	// command of a connection, or `unknown`.
	Action string
	Code   protocol.Code
}

// Counts are figures for an operator. Counters start with the registry, which outlives
// configurations, and never fall.
type Counts struct {
	// Published counts messages that were accepted on this node, and PublishedBytes the
	// bytes of their content. A repeat with the same key counts in Duplicates only.
	Published, PublishedBytes map[Source]uint64
	Duplicates                uint64
	// Received and ReceivedBytes count the messages of clients that the server has read from
	// connections, whatever became of them.
	Received, ReceivedBytes uint64
	Rejected                map[Rejection]uint64
	// RateLimited counts by the limit: `connection`, `requests`, `room`, `room_total`,
	// `handshakes`, `ban`.
	RateLimited map[string]uint64
	// Closed counts connections that are over, by the close code. A code that is not one of
	// the server's, because a client or the app chose it, is `other`.
	Closed map[string]uint64
	// Changes counts proposed changes of documents by outcome: `accepted`, `duplicate`,
	// `conflict`, `rejected`.
	Changes map[string]uint64
}

// counts are the counters behind Counts. The capabilities reach them through current.
type counts struct {
	published, publishedBytes [sources]atomic.Uint64
	duplicates                atomic.Uint64
	received, receivedBytes   atomic.Uint64

	rejected tally.Vector[Rejection]
	limited  tally.Vector[string]
	closed   tally.Vector[string]
	changes  tally.Vector[string]
}

// Counts returns the current figures.
func (r *Registry) Counts() Counts { return r.rules.counts.read() }

func (c *counts) read() Counts {
	n := Counts{
		Published: make(map[Source]uint64), PublishedBytes: make(map[Source]uint64), Duplicates: c.duplicates.Load(),
		Received: c.received.Load(), ReceivedBytes: c.receivedBytes.Load(), Rejected: c.rejected.Counts(),
		RateLimited: c.limited.Counts(), Closed: c.closed.Counts(), Changes: c.changes.Counts(),
	}
	for s := range sources {
		n.Published[s], n.PublishedBytes[s] = c.published[s].Load(), c.publishedBytes[s].Load()
	}
	for _, known := range []struct {
		counts map[string]uint64
		words  []string
	}{{n.RateLimited, limits}, {n.Closed, closeWords}, {n.Changes, outcomes}} {
		for _, word := range known.words {
			if _, there := known.counts[word]; !there {
				known.counts[word] = 0 // so that an operator sees that it never happened
			}
		}
	}
	return n
}

// The limits that are counted.
const (
	limitConnection = "connection"
	limitRequests   = "requests"
	limitRoom       = "room"
	limitRoomTotal  = "room_total"
	limitHandshakes = "handshakes"
	limitBan        = "ban"
)

var limits = []string{limitConnection, limitRequests, limitRoom, limitRoomTotal, limitHandshakes, limitBan}

// The outcomes of changes that are counted.
const (
	changeAccepted  = "accepted"
	changeDuplicate = "duplicate"
	changeConflict  = "conflict"
	changeRejected  = "rejected"
)

var outcomes = []string{changeAccepted, changeDuplicate, changeConflict, changeRejected}

// otherCode stands for close codes that the server does not use by itself.
const otherCode = "other"

// closeWords are the words for close codes. knownCodes has them by code.
var closeWords, knownCodes = codeWords()

func codeWords() (words []string, byCode map[uint16]string) {
	byCode = make(map[uint16]string)
	for _, c := range protocol.CloseCodes() {
		word := strconv.Itoa(int(c.Reason.Code))
		byCode[c.Reason.Code], words = word, append(words, word)
	}
	return append(words, otherCode), maps.Clone(byCode)
}

// publish counts a message that was published.
func (c *counts) publish(s Source, bytes int, duplicate bool) {
	if duplicate {
		c.duplicates.Add(1)
		return
	}
	c.published[s].Add(1)
	c.publishedBytes[s].Add(uint64(bytes))
}

// change counts a proposed change that the room has decided about.
func (c *counts) change(out *document.Outcome) {
	word := changeAccepted
	switch {
	case out.Duplicate:
		word = changeDuplicate
	case out.Err != nil && out.Err.Reason == document.Conflict:
		word = changeConflict
	case out.Err != nil:
		word = changeRejected
	}
	c.changes.Add(word, 1)
}

func (c *counts) receive(bytes int) {
	c.received.Add(1)
	c.receivedBytes.Add(uint64(bytes))
}

// limit counts an error of a limit, and returns it. The nil error is not counted.
func (c *counts) limit(which string, e *protocol.Error) *protocol.Error {
	if e != nil {
		c.limited.Add(which, 1)
	}
	return e
}

// close counts the end of a connection.
func (c *counts) close(code uint16) {
	word, known := knownCodes[code]
	if !known {
		word = otherCode
	}
	c.closed.Add(word, 1)
}

// Rejected counts an error that a client or the app got. action is a word of the server. A
// dialect calls it for the commands of a connection, and whoever answers a request for that.
// The nil error is not counted.
func (r *Registry) Rejected(action string, e *protocol.Error) {
	if e == nil {
		return
	}
	code := e.Code
	if e.FromApp { // its codes are without number
		code = protocol.Forbidden
	}
	r.rules.counts.rejected.Add(Rejection{action, code}, 1)
}

// Rejected is [Registry.Rejected].
func (s *Session) Rejected(action string, e *protocol.Error) {
	s.registry.Rejected(action, e)
	if e != nil && s.followed() {
		s.tell("command rejected", "command", action, "code", e.Code, "reason", e.Message, "detail", e.Detail)
	}
}

// source returns on which way a caller publishes.
func (c *Caller) source() Source {
	switch {
	case c.App:
		return FromAPI
	case c.Connection != "":
		return FromWebSocket
	}
	return FromHTTP
}
