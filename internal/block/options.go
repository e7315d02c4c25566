package block

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// Option is one option of a Caddyfile block that configures a T.
type Option[T any] struct {
	// Syntax is what follows the name. Errors show it.
	Syntax string
	// Min and Max bound the number of arguments. A negative Max means any number.
	Min, Max int
	// Repeat allows the option more than once.
	Repeat bool
	// Block marks an option with a block of its own, which Parse reads.
	Block bool
	// Inside are the options of its block; nil if it has none.
	Inside Table
	// NoBlock says, for an option without a block, where the options belong that a reader may expect
	// there. Empty if nobody does.
	NoBlock string
	// Content marks an option whose block must not be empty, if it has one: an empty
	// block would read like the opposite of what it means.
	Content bool
	// Parse puts the option into the configuration. Its errors name neither the option
	// nor the line; both are added.
	Parse func(d *caddyfile.Dispenser, args []string, into T) error
}

// ForPart returns an option of a part of a configuration as an option of the whole. part
// finds the part.
func ForPart[T, P any](o Option[P], part func(whole T) P) Option[T] {
	return Option[T]{
		Syntax: o.Syntax, Min: o.Min, Max: o.Max, Repeat: o.Repeat, Block: o.Block, Content: o.Content,
		Inside: o.Inside, NoBlock: o.NoBlock,
		Parse: func(d *caddyfile.Dispenser, args []string, whole T) error { return o.Parse(d, args, part(whole)) },
	}
}

// Options are the options of one kind of block, by name. A new option is a new entry.
type Options[T any] map[string]Option[T]

// ParseBlock reads the block that follows the dispenser's current token, if there is
// one. An option that is unknown, repeated or has the wrong arguments is an error, which
// names the option and its line. owner is the name of the block. [Tree.Place] completes the error
// of the outermost block.
func (o Options[T]) ParseBlock(d *caddyfile.Dispenser, owner string, into T) error {
	return o.ParseMixed(d, owner, into, nil)
}

// ParseMixed is like ParseBlock and passes lines that are no options to others. If others
// is nil, such a line is an error.
func (o Options[T]) ParseMixed(d *caddyfile.Dispenser, owner string, into T, others func(caddyfile.Segment)) error {
	lines := make(map[string]int)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		name := d.Val()
		opt, known := o[name]
		if !known && others != nil {
			others(d.NextSegment())
			continue
		}
		if !known {
			return newUnknown(d, owner, o.suggest(name), o.names())
		}
		if line, again := lines[name]; again && !opt.Repeat {
			return located{d.Errf("option '%s' is repeated in '%s', after line %d", name, owner, line)}
		}
		lines[name] = d.Line()
		start := *d // before it goes on
		segment := d.NewFromNextSegment()
		if !opt.Block && d.ValRaw() == "}" { // also after a block without content
			return located{start.Errf("option '%s' has no block; it is written: %[1]s %s%s", name, opt.Syntax, opt.NoBlock)}
		}
		if opt.Content && d.ValRaw() == "}" && !Opens(*segment) {
			return located{start.Errf("the block of option '%s' is empty", name)}
		}
		if err := opt.read(segment, into); err != nil {
			return within(name, err)
		}
	}
	return nil
}

// Opens reports whether there is a block among the tokens. The dispenser leaves out a
// block without content.
func Opens(d caddyfile.Dispenser) bool {
	for d.Next() {
		if d.ValRaw() == "{" {
			return true
		}
	}
	return false
}

func (o Options[T]) names() string {
	return strings.Join(slices.Sorted(maps.Keys(o)), ", ")
}

// read reads one option. d holds only the tokens of this option, so that Parse can not
// read the next one.
func (o Option[T]) read(d *caddyfile.Dispenser, into T) error {
	d.Next()
	start := *d // for errors: the line of the name, not where reading has got to
	args := d.RemainingArgs()
	if len(args) == 0 && o.Min > 0 {
		return located{start.Errf("option '%s' is written: %[1]s %s; nothing stands behind it: a variable such as {$NAME} that is not set leaves nothing",
			start.Val(), o.Syntax)}
	}
	if len(args) < o.Min || o.Max >= 0 && len(args) > o.Max {
		return located{start.Errf("option '%s' is written: %s", start.Val(), strings.TrimSpace(start.Val()+" "+o.Syntax))}
	}
	named.remember(&start, o.Syntax, args)
	err := o.Parse(d, args, into)
	if l := (located{}); err == nil || errors.As(err, &l) {
		return err
	}
	return located{start.WrapErr(fmt.Errorf("option '%s': %w", start.Val(), Trim(start.Val(), err)))}
}
