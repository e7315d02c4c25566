package document

import (
	"slices"
	"time"
)

// Options say how changes of a document are judged.
type Options struct {
	Limits Limits
	// Strict refuses each change that was made to an older version. Otherwise it is
	// made to the current one, if nothing that it touches has changed since.
	Strict bool
	// History is how many changes are kept, to compare late ones with; 0 means
	// [DefaultHistory].
	History int
	// TTL is after which time without a change and without an Attach the document is
	// forgotten; 0 means never.
	TTL time.Duration
}

// DefaultHistory is how many changes are kept.
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
	// Key identifies the change, see [Entry]; empty for one that is never repeated.
	Key string
	// Epoch is that of Base; empty if whoever proposes the change does not know it.
	Epoch string
	// Base is the version that the change was made to.
	Base uint64
	// Latest has the change made to the current version, whatever that is, and Base
	// ignored.
	Latest bool
	Patch  *Patch
	Author string
	// Budget is whose share of the store the change uses, and how much there is.
	Budget Budget
	// Check judges the state that the change would lead to; nil takes any.
	Check func(Tree) error
	// Origin is handed on to those who are told of the change by this node.
	Origin any
}

// Decision is what becomes of a change.
type Decision struct {
	// Tree and Touched are the state after the change, and what it changed.
	Tree    Tree
	Touched []string
	// Duplicate is the version that an earlier proposal of the change led to; 0: it
	// was not made before.
	Duplicate uint64
	// Err says why the change is not made; nil: it is.
	Err *Error
}

// Decide says what becomes of a change in this state. It is a pure function: nothing
// is changed by it.
func (s State) Decide(c *Change, o Options) Decision {
	o = o.withDefaults()
	if v := s.find(c.Key); v > 0 {
		return Decision{Duplicate: v}
	}
	since, e := s.missed(c, o.Strict)
	if e != nil {
		return Decision{Err: e}
	}
	tree, touched, e := Apply(s.Tree, c.Patch, o.Limits)
	switch {
	case e == nil:
		e = collision(since, touched)
	case len(since) > 0 && e.Reason == Invalid:
		// It fitted the version it was made to, for all that can be known.
		e = failf(Conflict, "does not fit the current version: %s", e.Text)
	}
	if e == nil && c.Check != nil {
		if err := c.Check(tree); err != nil {
			e = &Error{Refused, err.Error(), err}
		}
	}
	if e != nil {
		return Decision{Err: e}
	}
	return Decision{Tree: tree, Touched: touched}
}

// find gives the version of the change with a key, 0 if the log has none.
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

// missed gives the changes that whoever proposes this one did not know of.
func (s State) missed(c *Change, strict bool) ([]Entry, *Error) {
	switch {
	case c.Epoch != "" && c.Epoch != s.Epoch:
		return nil, failf(Conflict, "the document was made anew since")
	case c.Latest || c.Base == s.Version:
		return nil, nil
	case c.Base > s.Version:
		return nil, failf(Conflict, "the document has not reached version %d yet", c.Base)
	case strict:
		return nil, failf(Conflict, "the document has changed since version %d", c.Base)
	}
	since, known := s.since(c.Base)
	if !known {
		return nil, failf(Conflict, "too much has changed since version %d", c.Base)
	}
	return since, nil
}

// collision finds out whether something has changed that a change touches, too.
func collision(since []Entry, touched []string) *Error {
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
