package document

import (
	"slices"
	"time"
)

// Options say which changes of a document are accepted, and what is kept of them.
type Options struct {
	Limits Limits
	// Strict rejects each change that was made to an older version. Otherwise such a
	// change is applied to the current version, if nothing that it touches has changed
	// since.
	Strict bool
	// History is how many changes are kept to compare late ones with; 0 means
	// [DefaultHistory].
	History int
	// TTL is the time without a change and without an Attach after which the document is
	// removed; 0 means never.
	TTL time.Duration
}

// DefaultHistory is the default of Options.History.
const DefaultHistory = 200

func (o Options) withDefaults() Options {
	o.Limits = o.Limits.withDefaults()
	if o.History <= 0 {
		o.History = DefaultHistory
	}
	return o
}

// Change is a proposed change.
type Change struct {
	// Key identifies the change, see [Entry]; empty if the change is never repeated.
	Key string
	// Epoch is the epoch of Base; empty if it is not known.
	Epoch string
	// Base is the version to which the change was made.
	Base uint64
	// Latest applies the change to the current version and ignores Base.
	Latest bool
	Patch  *Patch
	Author string
	// Budget bounds the memory that the change may use.
	Budget Budget
	// Check returns an error if the state after the change is not allowed. May be nil.
	Check func(Tree) error
	// Origin is passed on in the [News] of the change on this node.
	Origin any
}

// Decision is the result of [State.Decide].
type Decision struct {
	// Tree is the state after the change, and Touched are the paths that it changed.
	Tree    Tree
	Touched []string
	// Duplicate is the version that the change made when it was proposed before; 0 if it
	// was not.
	Duplicate uint64
	// Err says why the change is rejected; nil if it is accepted.
	Err *Error
}

// Decide decides whether a change is accepted in this state. It changes nothing.
func (s State) Decide(c *Change, o Options) Decision {
	o = o.withDefaults()
	if v := s.find(c.Key); v > 0 {
		return Decision{Duplicate: v}
	}
	since, e := s.entriesSince(c, o.Strict)
	if e != nil {
		return Decision{Err: e}
	}
	tree, touched, e := Apply(s.Tree, c.Patch, o.Limits)
	switch {
	case e == nil:
		e = overlapError(since, touched)
	case len(since) > 0 && e.Reason == Invalid:
		// It probably fitted the version to which it was made.
		e = failf(Conflict, "does not fit the current version: %s", e.Text)
	}
	if e == nil && c.Check != nil {
		if err := c.Check(tree); err != nil {
			e = &Error{Rejected, err.Error(), err}
		}
	}
	if e != nil {
		return Decision{Err: e}
	}
	return Decision{Tree: tree, Touched: touched}
}

// find returns the version of the change with a key, or 0 if the log does not have it.
func (s State) find(key string) uint64 {
	if key == "" {
		return 0
	}
	for _, l := range slices.Backward(s.log) {
		if l.Key == key {
			return l.Version
		}
	}
	return 0
}

// entriesSince returns the changes that are newer than the base of c.
func (s State) entriesSince(c *Change, strict bool) ([]Entry, *Error) {
	switch {
	case c.Epoch != "" && c.Epoch != s.Epoch:
		return nil, failf(Conflict, "the document was made anew since")
	case c.Latest:
		return nil, nil
	case c.Base > s.Version:
		return nil, failf(Conflict, "the document has not reached version %d yet", c.Base)
	case strict && c.Base < s.Version:
		return nil, failf(Conflict, "the document has changed since version %d", c.Base)
	}
	since, known := s.since(c.Base)
	if !known {
		return nil, failf(Conflict, "too much has changed since version %d", c.Base)
	}
	return since, nil
}

// overlapError returns an error if one of the changes since overlaps with what was touched.
func overlapError(since []Entry, touched []string) *Error {
	if len(since) == 0 {
		return nil
	}
	mine := newFootprint(touched)
	for i := range since {
		if path, ok := mine.overlaps(since[i].Touched); ok {
			return failf(Conflict, "somebody else has changed %s", describe(path))
		}
	}
	return nil
}

func describe(path string) string {
	if path == "" {
		return "the whole document"
	}
	return quote(path)
}
