package realtime

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// option is one option of a Caddyfile block that configures a T.
type option[T any] struct {
	// syntax is what follows the name; it is shown when something else does.
	syntax string
	// min and max bound the number of arguments; a negative max means any number.
	min, max int
	// repeat allows the option more than once.
	repeat bool
	// block marks an option with a block of its own, which parse reads.
	block bool
	// content marks one whose block, if it has one, must not be empty, because that
	// would read like the opposite of what it means.
	content bool
	// empty says what is missing where there are too few arguments, if the syntax does
	// not say enough.
	empty string
	// parse puts the option into the configuration. Its errors name neither the
	// option nor the line; both are added.
	parse func(d *caddyfile.Dispenser, args []string, into T) error
}

// options are the options of one kind of block, by name. A new option is a new
// entry.
type options[T any] map[string]option[T]

// located is an error that names its place already.
type located struct{ error }

func (l located) Unwrap() error { return l.error }

// parseBlock reads the block that follows the dispenser's current token, if there
// is one. What is unknown, repeated or has the wrong arguments is an error that
// names the option and its line.
func (o options[T]) parseBlock(d *caddyfile.Dispenser, owner string, into T) error {
	return o.parseMixed(d, owner, into, nil)
}

// parseMixed is parseBlock for blocks in which other lines stand, too, if others
// takes them.
func (o options[T]) parseMixed(d *caddyfile.Dispenser, owner string, into T, others func(caddyfile.Segment)) error {
	lines := make(map[string]int)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		name := d.Val()
		opt, known := o[name]
		if !known && others != nil {
			others(d.NextSegment())
			continue
		}
		if !known {
			return located{d.Errf("unknown option '%s' in '%s'%s, which has: %s", name, owner, o.suggest(name), o.names())}
		}
		if line, again := lines[name]; again && !opt.repeat {
			return located{d.Errf("option '%s' is repeated in '%s', after line %d", name, owner, line)}
		}
		lines[name] = d.Line()
		start := *d // before it goes on
		segment := d.NewFromNextSegment()
		if !opt.block && d.ValRaw() == "}" { // also after a block without content
			return located{start.Errf("option '%s' has no block; it is written: %[1]s %s", name, opt.syntax)}
		}
		if opt.content && d.ValRaw() == "}" && !opens(*segment) {
			return located{start.Errf("the block of option '%s' is empty", name)}
		}
		if err := opt.read(segment, into); err != nil {
			return err
		}
	}
	return nil
}

// opens reports whether a block is among the tokens. The dispenser leaves out one
// without content.
func opens(d caddyfile.Dispenser) bool {
	for d.Next() {
		if d.ValRaw() == "{" {
			return true
		}
	}
	return false
}

// suggest asks for the option whose name is most like a wrong one. It is empty if none
// is like it.
func (o options[T]) suggest(wrong string) string {
	best, least := "", 1+max(1, len(wrong)/3)
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if d := distance(wrong, name); d < least {
			best, least = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean '%s'?)", best)
}

// distance is how many bytes have to be added, removed or replaced, or neighbours
// swapped, to make b of a.
func distance(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := range len(a) {
		before, above, row := rows[0], rows[1], rows[2]
		row[0] = i + 1
		for j := range len(b) {
			replaced := above[j]
			if a[i] != b[j] {
				replaced++
			}
			row[j+1] = min(replaced, above[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		rows = [3][]int{above, row, before}
	}
	return rows[1][len(b)]
}

func (o options[T]) names() string {
	return strings.Join(slices.Sorted(maps.Keys(o)), ", ")
}

// read reads one option. d holds its tokens alone, so that nothing is read beyond
// them whatever parse does.
func (o option[T]) read(d *caddyfile.Dispenser, into T) error {
	d.Next()
	start := *d // for errors: the line of the name, not where reading has got to
	args := d.RemainingArgs()
	if len(args) < o.min && o.empty != "" {
		return located{start.Errf("option '%s' is written: %[1]s %s; it needs %s", start.Val(), o.syntax, o.empty)}
	}
	if len(args) < o.min || o.max >= 0 && len(args) > o.max {
		return located{start.Errf("option '%s' is written: %s", start.Val(), strings.TrimSpace(start.Val()+" "+o.syntax))}
	}
	namedAt.remember(&start, o.syntax, args)
	err := o.parse(d, args, into)
	if l := (located{}); err == nil || errors.As(err, &l) {
		return err
	}
	return located{start.WrapErr(fmt.Errorf("option '%s': %w", start.Val(), trimmed{start.Val(), err}))}
}

// trimmed is an error without the name of its Go package, or of the option that is
// named already, at its beginning.
type trimmed struct {
	option string
	error
}

func (t trimmed) Error() string {
	text := strings.TrimPrefix(t.error.Error(), "auth: ")
	return strings.TrimPrefix(text, t.option+": ")
}

func (t trimmed) Unwrap() error { return t.error }
