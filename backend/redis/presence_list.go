package redis

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/presence"
)

// listLimit bounds a page, because Redis serves nobody else meanwhile.
const listLimit = 10_000

// List implements [presence.Store].
func (p *Presence) List(ctx context.Context, channel string, q presence.Query) (presence.Page, error) {
	if err := p.checkOpen(ctx); err != nil {
		return presence.Page{}, err
	}
	limit, offline := min(max(q.Limit, 0), listLimit), "0"
	if q.Offline {
		offline = "1"
	}
	keys := p.c.names.members(channel)
	result, err := p.run(ctx, &call{
		script: listMembersScript, keys: []string{keys[1], keys[2], keys[3], keys[4], keys[5]},
		args: []any{q.After, limit + 1, offline},
	})
	if err != nil {
		return presence.Page{}, err
	}
	return parsePage(result, limit)
}

// Has implements [presence.Store].
func (p *Presence) Has(ctx context.Context, channel, key string, as presence.Owner) (bool, error) {
	if err := p.checkOpen(ctx); err != nil {
		return false, err
	}
	looks := p.c.names.members(channel)[1]
	result, err := p.run(ctx, &call{args: []any{"hget", looks, key}})
	if err != nil || result == nil {
		return false, err
	}
	look, ok := result.(string)
	if !ok {
		return false, unexpected(result)
	}
	m := parseLook(key, look)
	return m != nil && m.Owner.May(as), nil
}

// parseLook parses a look, which is the owner of a member, its status and its info. It returns
// nil if s is none.
func parseLook(key, s string) *presence.Member {
	if len(s) < 2 {
		return nil
	}
	n := int(s[1])
	if n > len(s)-2 {
		return nil
	}
	// These are copies, because s is a part of a larger text.
	return &presence.Member{Key: strings.Clone(key), Status: strings.Clone(s[2 : 2+n]), Info: strings.Clone(s[2+n:]), Owner: presence.Owner(s[0])}
}

// parsePage parses the reply of presence_list.lua. One member more than limit shows that there
// are more.
func parsePage(result any, limit int) (presence.Page, error) {
	reply, ok := result.([]any)
	if !ok || len(reply) != 3 {
		return presence.Page{}, unexpected(result)
	}
	count, _ := reply[0].(int64)
	page := presence.Page{Count: int(count)}
	here, left := texts(reply[1]), texts(reply[2])
	for i := 0; i+1 < len(here); i += 2 {
		if m := parseLook(here[i], here[i+1]); m != nil {
			page.Members = append(page.Members, presence.Listed{Member: m})
		}
	}
	for i := 0; i+1 < len(left); i += 2 {
		seen, look, _ := strings.Cut(left[i+1], ":")
		ms, err := strconv.ParseInt(seen, 10, 64)
		if m := parseLook(left[i], look); m != nil && err == nil {
			page.Members = append(page.Members, presence.Listed{Member: m, LastSeen: time.UnixMilli(ms)})
		}
	}
	slices.SortFunc(page.Members, func(a, b presence.Listed) int { return strings.Compare(a.Key, b.Key) })
	if page.More = len(page.Members) > limit; page.More {
		page.Members = page.Members[:limit]
	}
	return page, nil
}
