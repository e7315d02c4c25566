package redis

import (
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
)

// docPage is what was read of a document.
type docPage struct {
	top     document.Known // where the document is now
	entries []document.Entry
	// whole marks a page that does not depend on what the reader knew: it has a snapshot and
	// its version, base, and the entries after that.
	whole    bool
	snapshot []byte
	base     uint64
}

// parseDocPage parses what the function answerCaller of document.lua returns.
func parseDocPage(result any) (a docPage, err error) {
	reply, _ := result.([]any)
	if len(reply) != 5 && len(reply) != 7 {
		return a, unexpected(result)
	}
	words := texts(result)
	whole, _ := reply[3].(int64)
	a.whole = whole == 1
	a.top.Epoch, a.top.Anchor = words[0], parseAnchor(words[2])
	if a.top.Version, err = strconv.ParseUint(words[1], 10, 64); err != nil {
		return a, unexpected(result)
	}
	list := texts(reply[4])
	for i := 0; i+1 < len(list); i += 2 {
		e, err := parseDocEntry(list[i], list[i+1])
		if err != nil {
			return a, unexpected(list[i])
		}
		a.entries = append(a.entries, e)
	}
	if len(reply) == 7 {
		if a.base, err = strconv.ParseUint(words[5], 10, 64); err != nil {
			return a, unexpected(words[5])
		}
		if words[6] != "" {
			a.snapshot = []byte(words[6])
		}
	}
	return a, nil
}

// end returns the state to which the page leads from the known state. It is the top, unless
// there are more entries.
func (a *docPage) end() document.Known {
	if n := len(a.entries); n > 0 && a.entries[n-1].Version < a.top.Version {
		return document.Known{Epoch: a.top.Epoch, Version: a.entries[n-1].Version, Anchor: a.entries[n-1].Anchor}
	}
	return a.top
}

// toRecord makes the record for a reader that knows a state.
func (a *docPage) toRecord(known document.Known) document.Record {
	r := document.Record{Epoch: a.top.Epoch, Version: known.Version, Entries: a.entries}
	if a.whole {
		r.Version, r.Snapshot = a.base, a.snapshot
	}
	return r
}

// Redis stores an entry of a document as: version of the format (1 byte), anchor (8), hash of
// the state (4), time in nanoseconds (8), key and author with their lengths, number of touched
// paths, each path with its length, patch. The scripts read the anchor.

const entryVersion = 1

// appendEntry appends the stored form of e. The version of e is not part of it.
func appendEntry(dst []byte, e *document.Entry) []byte {
	dst = append(dst, entryVersion)
	dst = binary.BigEndian.AppendUint64(dst, e.Anchor)
	dst = binary.BigEndian.AppendUint32(dst, e.Hash)
	dst = binary.BigEndian.AppendUint64(dst, uint64(e.Time.UnixNano()))
	dst = appendText(dst, e.Key)
	dst = appendText(dst, e.Author)
	dst = binary.AppendUvarint(dst, uint64(len(e.Touched)))
	for _, path := range e.Touched {
		dst = appendText(dst, path)
	}
	return append(dst, e.Patch...)
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// parseDocEntry parses an entry and its version.
func parseDocEntry(version, s string) (e document.Entry, err error) {
	const fixed = 1 + 8 + 4 + 8
	if e.Version, err = strconv.ParseUint(version, 10, 64); err != nil {
		return e, errFrame
	}
	if len(s) < fixed || s[0] != entryVersion {
		return e, errFrame
	}
	b := []byte(s) // one copy; the patch is a part of it
	e.Anchor = binary.BigEndian.Uint64(b[1:])
	e.Hash = binary.BigEndian.Uint32(b[9:])
	e.Time = time.Unix(0, int64(binary.BigEndian.Uint64(b[13:])))
	b = b[fixed:]
	var ok bool
	if e.Key, b, ok = cutText(b); !ok {
		return e, errFrame
	}
	if e.Author, b, ok = cutText(b); !ok {
		return e, errFrame
	}
	paths, size := binary.Uvarint(b)
	if size <= 0 || paths > uint64(len(b)) {
		return e, errFrame
	}
	b = b[size:]
	e.Touched = make([]string, paths)
	for i := range e.Touched {
		if e.Touched[i], b, ok = cutText(b); !ok {
			return e, errFrame
		}
	}
	e.Patch = b
	return e, nil
}

// appendAnchor returns an anchor as the scripts compare it. An unknown anchor is empty.
func appendAnchor(anchor uint64) []byte {
	if anchor == 0 {
		return nil
	}
	return binary.BigEndian.AppendUint64(nil, anchor)
}

func parseAnchor(s string) uint64 {
	if len(s) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64([]byte(s))
}

// parseChanged parses what arrives through Pub/Sub of a document: an entry, or a new epoch
// without an entry.
func parseChanged(s string) (epoch string, e document.Entry, err error) {
	if epoch, renewed := strings.CutPrefix(s, "r"); renewed {
		return epoch, e, nil
	}
	epoch, rest, _ := strings.Cut(strings.TrimPrefix(s, "d"), ":")
	version, rest, ok := strings.Cut(rest, ":")
	if !ok || epoch == "" {
		return "", e, errFrame
	}
	e, err = parseDocEntry(version, rest)
	return epoch, e, err
}
