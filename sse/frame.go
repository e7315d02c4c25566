package sse

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

const dataField = "data: "

// appendData appends text as the data of an event. Every line break, in any of its three forms,
// starts a new data line, so that text can not forge a field. The reader joins the lines with
// LF.
func appendData(dst, text []byte) []byte {
	returns := bytes.IndexByte(text, '\r') >= 0
	for {
		dst = append(dst, dataField...)
		i := lineBreak(text, returns)
		if i < 0 {
			return append(append(dst, text...), '\n')
		}
		dst = append(append(dst, text[:i]...), '\n')
		if text[i] == '\r' && i+1 < len(text) && text[i+1] == '\n' {
			i++
		}
		text = text[i+1:]
	}
}

// lineBreak finds the first CR or LF. Most texts have no CR, and then the search is much faster.
func lineBreak(text []byte, returns bool) int {
	if returns {
		return bytes.IndexAny(text, "\r\n")
	}
	return bytes.IndexByte(text, '\n')
}

// endData ends the data line that starts at start. It splits the line if there are line breaks
// in it. An envelope has one only if a content is not compact.
func endData(dst []byte, start int) []byte {
	text := dst[start+len(dataField):]
	if bytes.IndexByte(text, '\n') < 0 && bytes.IndexByte(text, '\r') < 0 {
		return append(dst, '\n')
	}
	return appendData(dst[:start], bytes.Clone(text))
}

// appendName appends the `event:` line of an event that has a name. A plain message has none,
// and reaches the listeners for `message`. A name with a line break is omitted; clients can not
// choose such a name.
func appendName(dst []byte, ev hub.Event) []byte {
	name := protocol.EventName(ev)
	if name == "" || name == protocol.TypeMessage || strings.ContainsAny(name, "\r\n") {
		return dst
	}
	dst = append(dst, "event: "...)
	return append(append(dst, name...), '\n')
}

// appendCursor appends the `id:` line of a cursor. It appends nothing for an empty cursor, which
// would erase the client's cursor.
func appendCursor(dst []byte, c *protocol.Cursor) []byte {
	if c.Len() == 0 {
		return dst
	}
	dst = append(dst, "id: "...)
	return append(protocol.AppendCursor(dst, c), '\n')
}

// appendRetry appends how long the client waits before it reconnects.
func appendRetry(dst []byte, wait time.Duration) []byte {
	dst = append(dst, "retry: "...)
	return append(strconv.AppendInt(dst, max(wait.Milliseconds(), 1), 10), '\n')
}
