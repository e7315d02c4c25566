package redis

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/presence"
)

// Forget implements [presence.Forgetter]. It finds the rooms in the index of all members who
// left, a part at a time, because Redis serves nobody else while it looks through a part.
func (p *Presence) Forget(ctx context.Context, key string) (rooms int, err error) {
	if err := p.checkOpen(ctx); err != nil {
		return 0, err
	}
	found, err := p.roomsThatRemember(ctx, key)
	for channel := range found {
		n, e := p.forgetIn(ctx, channel, key)
		if rooms += n; e != nil {
			return rooms, e
		}
	}
	return rooms, err
}

// forgetIn forgets a member in one room. A repeat of the script does no harm, so it needs no
// check of its number.
func (p *Presence) forgetIn(ctx context.Context, channel, key string) (int, error) {
	name, _ := p.currentName()
	c := p.changeCall(forgetMembersScript, channel, name, []any{key})
	defer p.scripts.done(c)
	result, err := p.run(ctx, c)
	if err != nil {
		return 0, err
	}
	n, ok := result.(int64)
	if !ok {
		return 0, unexpected(result)
	}
	return int(n), nil
}

// leftPart is about how many members who left Redis looks at in one command.
const leftPart = 2000

func (p *Presence) roomsThatRemember(ctx context.Context, key string) (map[string]bool, error) {
	all, found := p.c.names.remembered()[0], make(map[string]bool)
	for cursor := "0"; ; {
		result, err := p.run(ctx, &call{args: []any{"zscan", all, cursor, "match", "*" + escapePattern(key), "count", leftPart}})
		if err != nil {
			return found, err
		}
		reply, _ := result.([]any)
		if len(reply) != 2 {
			return found, unexpected(result)
		}
		for _, name := range texts(reply[1]) { // names and scores in turn
			if channel, of, ok := parseLeftName(name); ok && of == key {
				found[channel] = true
			}
		}
		if cursor, _ = reply[0].(string); cursor == "0" || cursor == "" {
			return found, nil
		}
	}
}

// parseLeftName parses what leftName in presence.lua makes.
func parseLeftName(name string) (channel, key string, ok bool) {
	const head = 6
	if len(name) < head {
		return "", "", false
	}
	end := head + int(binary.BigEndian.Uint16([]byte(name[4:head])))
	if end > len(name) {
		return "", "", false
	}
	return strings.Clone(name[head:end]), name[end:], true
}

// escapePattern makes a pattern of Redis that matches only s.
func escapePattern(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(s)
}

// Forget implements [presence.Forgetter]. It asks one shard after the other.
func (ps presences) Forget(ctx context.Context, key string) (rooms int, err error) {
	for _, p := range ps.parts {
		n, e := p.Forget(ctx, key)
		rooms, err = rooms+n, errors.Join(err, e)
	}
	return rooms, err
}

var (
	_ presence.Forgetter = (*Presence)(nil)
	_ presence.Forgetter = presences{}
)
