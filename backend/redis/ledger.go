package redis

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/document"
)

// payer names a payer in Redis: short, and without what a user's name may have in it.
func payer(name string) string {
	if name == "" {
		return "-"
	}
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:8])
}

// full says in the words of documents what commit.lua found to be full.
func full(what any) error {
	if what == "share" {
		return document.ErrShare
	}
	return document.ErrFull
}

// Forget implements [document.Store].
func (s *Documents) Forget(ctx context.Context, channel string, only document.Known) (bool, error) {
	if err := s.open(ctx); err != nil {
		return false, err
	}
	version := strconv.FormatUint(only.Version, 10)
	result, err := s.run(ctx, s.call(forgetScript, channel, document.Known{}, only.Epoch, version))
	if err != nil {
		return false, err
	}
	return result == int64(1), nil
}

// List implements [document.Store].
func (s *Documents) List(ctx context.Context, prefix, after string, limit int) ([]document.Info, bool, error) {
	if err := s.open(ctx); err != nil {
		return nil, false, err
	}
	n := s.c.names
	from, to := span(prefix, after)
	result, err := s.run(ctx, &call{script: catalogScript, keys: n.ledger(), args: []any{from, to, limit + 1, n.prefix}})
	if err != nil {
		return nil, false, err
	}
	all := texts(result)
	if len(all)%3 != 0 {
		return nil, false, unavailable(unexpected(result))
	}
	var page []document.Info
	for part := range slices.Chunk(all, 3) {
		version, err := strconv.ParseUint(part[1], 10, 64)
		if err != nil {
			return nil, false, unavailable(unexpected(result))
		}
		bytes, err := strconv.ParseInt(part[2], 10, 64)
		if err != nil {
			return nil, false, unavailable(unexpected(result))
		}
		page = append(page, document.Info{Channel: part[0], Version: version, Bytes: bytes})
	}
	if len(page) > limit {
		return page[:limit], true, nil
	}
	return page, false, nil
}

// span gives the names that begin with prefix and come after one, as Redis wants it. No
// name has a byte of 255.
func span(prefix, after string) (from, to string) {
	from, to = "("+after, "["+prefix+"\xff"
	if prefix > after {
		from = "[" + prefix
	} else if after == "" {
		from = "-"
	}
	if prefix == "" {
		to = "+"
	}
	return from, to
}

// minPartShare is what a payer may have in each part at least, if the share is so large:
// a few large documents may be in the same one.
const minPartShare = 4 << 20

// part gives the budget that counts in one of several parts, each of which has books of
// its own.
func part(b document.Budget, parts int) document.Budget {
	n := int64(parts)
	b.Share = min(b.Share, max(b.Share/n, minPartShare))
	if b.Memory > 0 {
		b.Memory = max(b.Memory/n, 1)
	}
	return b
}

// Forget implements [document.Store].
func (ds documentStores) Forget(ctx context.Context, channel string, only document.Known) (bool, error) {
	return ds.of(channel).Forget(ctx, channel, only)
}

// List implements [document.Store].
func (ds documentStores) List(ctx context.Context, prefix, after string, limit int) (page []document.Info, more bool, err error) {
	pages, mores := make([][]document.Info, len(ds.parts)), make([]bool, len(ds.parts))
	all := make([]int, len(ds.parts))
	for i := range all {
		all[i] = i
	}
	err = together(all, func(i int) (err error) {
		pages[i], mores[i], err = ds.parts[i].List(ctx, prefix, after, limit)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	page = slices.Concat(pages...)
	slices.SortFunc(page, func(a, b document.Info) int { return strings.Compare(a.Channel, b.Channel) })
	if len(page) > limit {
		return page[:limit], true, nil
	}
	return page, slices.Contains(mores, true), nil
}
