// Package client is the clients' side of the load generator: connections by WebSocket
// and by event stream to any server, what they check about the messages that arrive,
// and how long these took.
package client

import (
	"bytes"
	"fmt"
	"time"
)

// Stamp stands in every message: when it was to be sent, who sent it and which of the
// sender's messages it is.
type Stamp struct {
	Intended time.Duration // since the start of this process
	Sender   uint32
	Seq      uint32 // of the sender, from 0 without holes
}

const (
	mark     = "@@"
	stampLen = len(mark) + 32 // the stamp in hexadecimal digits
)

// begin is the zero of all stamps.
var begin = time.Now()

// Now returns the time since the start of this process.
func Now() time.Duration { return time.Since(begin) }

// Text returns the stamp, padded to size bytes. It needs no escapes in JSON.
func (s Stamp) Text(size int) []byte {
	text := fmt.Appendf(make([]byte, 0, size), mark+"%016x%08x%08x", uint64(s.Intended), s.Sender, s.Seq)
	return append(text, bytes.Repeat([]byte{'.'}, max(size-len(text), 0))...)
}

// find returns the first stamp in a message, whatever the server wrapped around it.
func find(message []byte) (s Stamp, ok bool) {
	i := bytes.Index(message, []byte(mark))
	if i < 0 || len(message)-i < stampLen {
		return s, false
	}
	digits := message[i+len(mark) : i+stampLen]
	intended, ok1 := hex(digits[:16])
	sender, ok2 := hex(digits[16:24])
	seq, ok3 := hex(digits[24:])
	return Stamp{time.Duration(intended), uint32(sender), uint32(seq)}, ok1 && ok2 && ok3
}

// Stamps calls f for every stamp in a text.
func Stamps(text []byte, f func(Stamp)) {
	for {
		i := bytes.Index(text, []byte(mark))
		if i < 0 {
			return
		}
		text = text[i:]
		if s, ok := find(text); ok {
			f(s)
		}
		text = text[len(mark):]
	}
}

func hex(digits []byte) (v uint64, ok bool) {
	for _, c := range digits {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		default:
			return 0, false
		}
		v = v<<4 | uint64(c)
	}
	return v, true
}
