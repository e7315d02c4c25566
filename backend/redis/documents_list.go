package redis

import (
	"context"
	"slices"
	"strconv"

	"github.com/caddy-realtime/caddy-realtime/document"
)

// Forget implements [document.Store].
func (s *Documents) Forget(ctx context.Context, channel string, only document.Known) (bool, error) {
	if err := s.checkOpen(ctx); err != nil {
		return false, err
	}
	version := strconv.FormatUint(only.Version, 10)
	result, err := s.run(ctx, s.scriptCall(forgetDocumentScript, channel, document.Known{}, only.Epoch, version))
	if err != nil {
		return false, err
	}
	return result == int64(1), nil
}

// List implements [document.Store].
func (s *Documents) List(ctx context.Context, prefix, after string, limit int) ([]document.Info, bool, error) {
	if err := s.checkOpen(ctx); err != nil {
		return nil, false, err
	}
	n := s.c.names
	from, to := nameRange(prefix, after)
	result, err := s.run(ctx, &call{script: listDocumentsScript, keys: n.ledger(), args: []any{from, to, limit + 1, n.prefix}})
	if err != nil {
		return nil, false, err
	}
	all := texts(result)
	if len(all)%3 != 0 {
		return nil, false, unavailableError(unexpected(result))
	}
	var page []document.Info
	for part := range slices.Chunk(all, 3) {
		version, err := strconv.ParseUint(part[1], 10, 64)
		if err != nil {
			return nil, false, unavailableError(unexpected(result))
		}
		bytes, err := strconv.ParseInt(part[2], 10, 64)
		if err != nil {
			return nil, false, unavailableError(unexpected(result))
		}
		page = append(page, document.Info{Channel: part[0], Version: version, Bytes: bytes})
	}
	if len(page) > limit {
		return page[:limit], true, nil
	}
	return page, false, nil
}

// nameRange returns the range, as Redis writes it, of the names that start with prefix and come
// after one. No name has a byte of 255.
func nameRange(prefix, after string) (from, to string) {
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
