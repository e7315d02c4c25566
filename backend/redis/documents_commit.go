package redis

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/notify"
)

// Commit implements [document.Store]. If it fails with [document.ErrUnavailable], Redis may
// have executed it all the same.
func (s *Documents) Commit(ctx context.Context, channel string, c document.Commit) (document.Committed, error) {
	if err := s.checkOpen(ctx); err != nil {
		return document.Committed{}, err
	}
	known := document.Known{Epoch: c.Epoch, Version: c.Entry.Version - 1, Anchor: c.After}
	if c.Entry.Version == 0 {
		known = document.Known{} // the entry follows nothing
	}
	call := s.scriptCall(commitDocumentScript, channel, known,
		appendEntry(make([]byte, 0, 64+c.Entry.Bytes()), &c.Entry), appendAnchor(c.Entry.Anchor), c.Snapshot,
		strconv.Itoa(max(c.Keep, 0)), s.c.node+strconv.FormatUint(s.calls.Add(1), 10), s.c.o.KeyWindow.Milliseconds(),
		max(c.KeepBytes, 0), payerID(c.Payer), c.Share, c.Memory, c.TTL.Milliseconds())
	call.keys = slices.Insert(call.keys, 2, s.c.names.change(channel, c.Entry.Key))
	result, err := s.run(ctx, s.c.record(call, channel, "", notify.Changed))
	f := s.findFollower(channel)
	if err != nil {
		if errors.Is(err, document.ErrUnavailable) && f.delivered(c.Epoch, &c.Entry) {
			return document.Committed{Version: c.Entry.Version}, nil // only the reply was lost
		}
		return document.Committed{}, err
	}
	reply, _ := result.([]any)
	if len(reply) != 2 {
		return document.Committed{}, unavailableError(unexpected(result))
	}
	switch reply[0] {
	case int64(0):
		return s.lateCommit(channel, known, reply[1])
	case int64(3):
		return document.Committed{}, fullError(reply[1])
	}
	version, err := strconv.ParseUint(texts(result)[1], 10, 64)
	switch {
	case err != nil:
		return document.Committed{}, unavailableError(unexpected(result))
	case reply[0] == int64(2):
		return document.Committed{Version: version, Duplicate: true}, nil
	}
	return document.Committed{Version: version}, s.deliverOwn(ctx, f, c.Epoch, c.Entry)
}

// lateCommit returns the result of a commit before which others came.
func (s *Documents) lateCommit(channel string, known document.Known, result any) (document.Committed, error) {
	a, err := parseDocPage(result)
	if err != nil {
		return document.Committed{}, unavailableError(err)
	}
	s.offerEntries(channel, &a)
	if a.end() != a.top {
		return document.Committed{}, nil // one page does not hold all entries
	}
	rec := a.toRecord(known)
	return document.Committed{Now: &rec}, nil
}

// deliverOwn delivers an entry of this node, and all entries before it, before Commit returns.
func (s *Documents) deliverOwn(ctx context.Context, f *follower, epoch string, e document.Entry) error {
	if f == nil {
		return nil
	}
	f.receiveEntry(epoch, e)
	for f.attached.Load() > 0 && !f.delivered(epoch, &e) {
		more, err := s.compareDocument(ctx, f)
		if err != nil {
			return err
		}
		if !more && !f.delivered(epoch, &e) {
			return unavailableError(errors.New("the change was lost again"))
		}
	}
	return nil
}

// Find implements [document.Store].
func (s *Documents) Find(ctx context.Context, channel, key string) (uint64, error) {
	if err := s.checkOpen(ctx); err != nil {
		return 0, err
	}
	n := s.c.names
	result, err := s.run(ctx, &call{script: findChangeScript, keys: []string{n.document(channel)[0], n.change(channel, key)}})
	if err != nil {
		return 0, err
	}
	text, _ := result.(string)
	version, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, unavailableError(unexpected(result))
	}
	return version, nil
}

// payerID returns the name of a payer in Redis. It is short, and has only characters that
// document_ledger.lua can parse.
func payerID(name string) string {
	if name == "" {
		return "-"
	}
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:8])
}

// fullError returns the error for what document_commit.lua found to be full.
func fullError(what any) error {
	if what == "share" {
		return document.ErrShare
	}
	return document.ErrFull
}

// minPartShare is the least share that a payer has in each shard, unless the whole share is
// less: several large documents may be in the same shard.
const minPartShare = 4 << 20

// budgetPerShard returns the budget for one of several shards. Each shard counts for itself.
func budgetPerShard(b document.Budget, parts int) document.Budget {
	n := int64(parts)
	b.Share = min(b.Share, max(b.Share/n, minPartShare))
	if b.Memory > 0 {
		b.Memory = max(b.Memory/n, 1)
	}
	return b
}
