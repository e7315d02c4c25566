package redis

import (
	"strconv"

	"github.com/caddy-realtime/caddy-realtime/document"
)

// docAnswer is what was read of a document.
type docAnswer struct {
	top     document.Known // where it is now
	entries []document.Entry
	// whole marks an answer that does not depend on what was known: snapshot and base,
	// its version, stand before the entries.
	whole    bool
	snapshot []byte
	base     uint64
}

// parseAnswer reads what the function answer of document.lua gives.
func parseAnswer(result any) (a docAnswer, err error) {
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
		e, err := parseEntryOf(list[i], list[i+1])
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

// reached is the state that the answer leads to from the one that was known: the top,
// unless there are more entries.
func (a *docAnswer) reached() document.Known {
	if n := len(a.entries); n > 0 && a.entries[n-1].Version < a.top.Version {
		return document.Known{Epoch: a.top.Epoch, Version: a.entries[n-1].Version, Anchor: a.entries[n-1].Anchor}
	}
	return a.top
}

// record is the answer for whoever knew a state.
func (a *docAnswer) record(known document.Known) document.Record {
	r := document.Record{Epoch: a.top.Epoch, Version: known.Version, Entries: a.entries}
	if a.whole {
		r.Version, r.Snapshot = a.base, a.snapshot
	}
	return r
}
