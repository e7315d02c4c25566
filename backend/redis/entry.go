package redis

import (
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
)

// An entry of a document is stored as: version of the format (1 byte), anchor (8), hash
// of the state (4), time in nanoseconds (8), length and text of key and author, number of touched paths,
// length and text of each, patch. The scripts read the anchor.

const entryVersion = 1

// appendEntry appends what is stored of e; its version is told beside it.
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

// parseEntryOf is the reverse, with the version as a text.
func parseEntryOf(version, s string) (e document.Entry, err error) {
	const fixed = 1 + 8 + 4 + 8
	if e.Version, err = strconv.ParseUint(version, 10, 64); err != nil {
		return e, errFrame
	}
	if len(s) < fixed || s[0] != entryVersion {
		return e, errFrame
	}
	b := []byte(s) // one copy, of which the patch is a part
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

// appendAnchor gives an anchor as scripts compare it; nothing for one that is not known.
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

// parseChanged reads what comes through Pub/Sub of a document: an entry, or else only
// the epoch that has begun.
func parseChanged(s string) (epoch string, e document.Entry, err error) {
	if epoch, renewed := strings.CutPrefix(s, "r"); renewed {
		return epoch, e, nil
	}
	epoch, rest, _ := strings.Cut(strings.TrimPrefix(s, "d"), ":")
	version, rest, ok := strings.Cut(rest, ":")
	if !ok || epoch == "" {
		return "", e, errFrame
	}
	e, err = parseEntryOf(version, rest)
	return epoch, e, err
}
