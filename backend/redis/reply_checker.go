package redis

import (
	"bytes"
	"errors"
	"strconv"
	"sync/atomic"
)

const (
	// These bound what Redis may send. go-redis allocates a text or a list before it has
	// arrived.
	maxReplyLine  = 64 << 10
	maxReplyText  = 128 << 20
	maxReplyList  = 1 << 20
	maxReplyDepth = 16
	// maxKept bounds the texts whose content is checked.
	maxKept = 4 << 10
)

// errGarbled ends a connection on which something arrived that is no reply of Redis.
var errGarbled = errors.New("redis: what arrived is not a reply")

// replyChecker checks what arrives on a connection before go-redis reads it. go-redis panics at
// replies of an unexpected form. With Sentinels it panics even in goroutines of its own, where
// nobody can recover. It may also allocate any amount of memory for a reply.
//
// The replies are of version 2 of the protocol, which this package requests, or of version 3,
// which go-redis uses with Sentinels. Of version 3 the checker knows what Sentinels use.
type replyChecker struct {
	// Set by the goroutine that writes the command, read by the one that reads its reply.
	subscribed atomic.Bool // messages and confirmations arrive
	pair       atomic.Bool // the next reply is the address of a primary

	// Owned by the reader.
	line []byte // the start of a line whose end has not arrived
	left int    // bytes of a text, with its line break, that have not arrived
	open []list // lists that are not complete
	kept []byte // of a text whose content is checked
	keep bool

	// Of the current message or confirmation.
	size, at int
	kind     string
	channel  string
}

// list is an incomplete list, or a map as a list of names and values in turn.
type list struct {
	left  int // values that have not arrived
	pairs bool
}

// noteCommand looks at a command that is written: its replies may have a form of their own.
func (r *replyChecker) noteCommand(p []byte) {
	head := bytes.ToLower(p[:min(len(p), 64)])
	_, name, _ := bytes.Cut(head, []byte("\r\n$"))
	_, name, _ = bytes.Cut(name, []byte("\r\n"))
	name, rest, _ := bytes.Cut(name, []byte("\r\n"))
	switch string(name) {
	case "subscribe", "psubscribe", "ssubscribe":
		r.subscribed.Store(true)
	case "sentinel":
		if bytes.Contains(rest, []byte("get-master-addr-by-name\r\n")) {
			r.pair.Store(true)
		}
	}
}

// checkBytes checks the bytes that arrive next.
func (r *replyChecker) checkBytes(p []byte) error {
	for len(p) > 0 {
		if r.left > 0 {
			n := min(r.left, len(p))
			if err := r.checkText(p[:n]); err != nil {
				return err
			}
			p = p[n:]
			continue
		}
		i := bytes.IndexByte(p, '\n') + 1
		if i == 0 {
			i = len(p)
		}
		if len(r.line)+i > maxReplyLine {
			return errGarbled
		}
		line := p[:i]
		if len(r.line) > 0 || line[i-1] != '\n' {
			r.line = append(r.line, line...)
			line = r.line
		}
		p = p[i:]
		if line[len(line)-1] != '\n' {
			return nil
		}
		if err := r.checkHeader(line); err != nil {
			return err
		}
		r.line = r.line[:0]
	}
	return nil
}

// checkText takes bytes of a text and of the line break behind it.
func (r *replyChecker) checkText(p []byte) error {
	const ending = "\r\n"
	for at := max(0, r.left-len(ending)); at < len(p); at++ {
		if p[at] != ending[at-r.left+len(ending)] {
			return errGarbled
		}
	}
	if r.keep {
		r.kept = append(r.kept, p...)
	}
	if r.left -= len(p); r.left > 0 {
		return nil
	}
	if r.keep {
		if err := r.checkKept(string(bytes.TrimSuffix(r.kept, []byte("\r\n")))); err != nil {
			return err
		}
		r.keep, r.kept = false, r.kept[:0]
	}
	r.finishValue()
	return nil
}

// checkHeader checks the line with which a value starts.
func (r *replyChecker) checkHeader(line []byte) error {
	if len(line) < 3 || line[len(line)-2] != '\r' {
		return errGarbled
	}
	kind, n, ok := parseHeader(line)
	if !ok || r.checkKind(kind, n) != nil {
		return errGarbled
	}
	switch {
	case kind == '$' && n >= 0:
		r.left = n + 2
	case (kind == '*' || kind == '%') && n > 0:
		if len(r.open) == maxReplyDepth {
			return errGarbled
		}
		r.open = append(r.open, list{n, kind == '%'})
	default:
		r.finishValue()
	}
	return nil
}

// parseHeader returns the kind of a value and its number. For a text or a list the number is
// the length. It treats the list types of version 3 as lists.
func parseHeader(line []byte) (kind byte, n int, ok bool) {
	kind, text := line[0], string(line[1:len(line)-2])
	switch kind {
	case '+', '-':
		return kind, 0, true
	case '_':
		return kind, 0, text == ""
	case '#':
		return kind, 0, text == "t" || text == "f"
	case ',':
		_, err := strconv.ParseFloat(text, 64)
		return kind, 0, err == nil
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, 0, false
	}
	n = int(number)
	switch kind {
	case ':':
		return kind, n, true
	case '$':
		return kind, n, n >= -1 && n <= maxReplyText
	case '*', '~', '>':
		return '*', n, n >= -1 && n <= maxReplyList
	case '%':
		return kind, 2 * n, n >= 0 && n <= maxReplyList
	}
	return 0, 0, false
}

// finishValue notes that a value is complete, and with it perhaps the lists around it.
func (r *replyChecker) finishValue() {
	for last := len(r.open) - 1; last >= 0; last-- {
		if r.open[last].left--; r.open[last].left > 0 {
			return
		}
		r.open = r.open[:last]
	}
}

// checkKind checks that a value of this kind may come here.
func (r *replyChecker) checkKind(kind byte, n int) error {
	if last := len(r.open) - 1; last >= 0 && r.open[last].pairs && r.open[last].left%2 == 0 && kind != '$' && kind != '+' && kind != ':' {
		return errGarbled // the names of a map are no lists
	}
	switch {
	case len(r.open) == 0 && r.pair.CompareAndSwap(true, false):
		if kind == '*' && n != -1 && n != 2 {
			return errGarbled
		}
	case !r.subscribed.Load():
	case len(r.open) == 0:
		if kind != '-' && kind != '+' && (kind != '*' || n < 2 || n > 4) {
			return errGarbled
		}
		r.size, r.at, r.kind, r.channel = n, -1, "", ""
	case len(r.open) == 1:
		r.at++
		return r.checkPart(kind, n)
	default:
		return errGarbled // messages and confirmations have no lists in them
	}
	return nil
}

// checkPart checks a part of a message or of a confirmation.
func (r *replyChecker) checkPart(kind byte, n int) error {
	number := r.at == 2 && confirms(r.kind)
	none := r.at == 1 && confirms(r.kind) // no channel is left
	switch {
	case number != (kind == ':'), !number && kind != '$', kind == '$' && n < 0 && !none:
		return errGarbled
	case n > maxKept && (r.at == 0 || r.at == 2 && r.channel == switchMaster):
		return errGarbled
	}
	switch r.at {
	case 0, 1:
		r.keep = n >= 0 && n <= maxKept
	case 2:
		r.keep = r.channel == switchMaster
	}
	return nil
}

// switchMaster is the channel on which Sentinels announce another primary.
const switchMaster = "+switch-master"

func confirms(kind string) bool {
	switch kind {
	case "subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ssubscribe", "sunsubscribe":
		return true
	}
	return false
}

// checkKept checks the content of a text.
func (r *replyChecker) checkKept(text string) error {
	if !r.subscribed.Load() {
		return nil
	}
	switch r.at {
	case 0:
		r.kind = text
		want := 3
		switch text {
		case "message", "smessage":
		case "pmessage":
			want = 4
		case "pong":
			want = 2
		default:
			if !confirms(text) {
				return errGarbled
			}
		}
		if r.size != want {
			return errGarbled
		}
	case 1:
		r.channel = text
	case 2: // name, address and port of the old primary, address and port of the new one
		if bytes.Count([]byte(text), []byte(" ")) != 4 {
			return errGarbled
		}
	}
	return nil
}
