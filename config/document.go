package config

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/policy"
)

// Document gives each channel of a room a document: one JSON value that clients change
// together. A client that may subscribe may read it. If the room has a schema, the document
// has to match it as well.
type Document struct {
	// Change says who may change the document: `anyone`, `users`, `granted` or `server`
	// (only the app, over the HTTP API). Default: the same as the room's publish.
	Change string `json:"change,omitempty"`

	// Conflict says what happens to a change of an older version. `merge` applies it to
	// the current version if nothing that it touches has changed since, and rejects it
	// otherwise. `strict` always rejects it. Default: `merge`.
	Conflict string `json:"conflict,omitempty"`

	// Size is the greatest length of the document in bytes, as compact JSON; at most half
	// of what a connection's queue holds. Default: 262144 (256KiB), which zero means as
	// well.
	Size int64 `json:"size,omitempty"`

	// Depth is how deeply arrays and objects may be nested; 1 is an object of plain
	// values. At most 60. Default: 32, which zero means as well.
	Depth int `json:"depth,omitempty"`

	// Operations is the greatest number of operations in one change, or of values that a
	// merge patch sets and deletes. At most 1000. Default: 256, which zero means as well.
	Operations int `json:"operations,omitempty"`

	// History is how many changes are kept. Changes of older versions are compared with
	// them. At most 10000. Default: 200, which zero means as well.
	History int `json:"history,omitempty"`

	// TTL is how long a document is kept that nobody is subscribed to and nobody changes.
	// The value at the latest change counts. At least 1m. Default: 0, which means for
	// ever: a document stays until the app deletes it or, without Redis, until the process
	// ends.
	TTL caddy.Duration `json:"ttl,omitempty"`
}

// access returns who may change the document.
func (c *Document) access() (policy.Access, error) {
	if c == nil || c.Change == "" {
		return policy.Default, nil
	}
	return policy.ParseAccess(c.Change)
}

func (c *Document) compile() (*document.Options, error) {
	if c == nil {
		return nil, nil
	}
	strict, err := parseConflict(c.Conflict)
	if err != nil {
		return nil, fmt.Errorf("document: %w", err)
	}
	switch {
	case min(c.Size, int64(c.Depth), int64(c.Operations), int64(c.History), int64(c.TTL)) < 0:
		err = errors.New("negative number")
	case c.Depth > MaxDocumentDepth:
		err = fmt.Errorf("depth is not a number from 1 to %d", MaxDocumentDepth)
	case c.Operations > MaxOperations:
		err = fmt.Errorf("operations is not a number from 1 to %d", MaxOperations)
	case c.TTL > 0 && time.Duration(c.TTL) < MinDocumentTTL:
		err = fmt.Errorf("ttl is less than %v", MinDocumentTTL)
	case c.History > MaxChanges:
		err = fmt.Errorf("history is not a number from 1 to %d", MaxChanges)
	}
	if err != nil {
		return nil, fmt.Errorf("document: %w", err)
	}
	return &document.Options{
		Strict:  strict,
		History: c.History,
		TTL:     time.Duration(c.TTL),
		Limits:  document.Limits{Size: int(c.Size), Depth: c.Depth, Operations: c.Operations},
	}, nil
}

// fits reports a size of documents that no queue of a subscriber could take.
func (c *Document) fits(queue int64) error {
	if c == nil {
		return nil
	}
	if size := cmp.Or(c.Size, document.DefaultSize); size > queue/2 {
		return fmt.Errorf("document: a size of %d is more than half of the queue, which is %d bytes", size, queue)
	}
	return nil
}

// parseConflict reads the word of [Document.Conflict]; none means the default.
func parseConflict(word string) (strict bool, err error) {
	switch cmp.Or(word, DefaultConflict) {
	case "merge":
		return false, nil
	case "strict":
		return true, nil
	}
	return false, fmt.Errorf("'%s' is none of merge, strict", word)
}
