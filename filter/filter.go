package filter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
)

const (
	// MaxLength bounds an expression, in bytes.
	MaxLength = 1024
	// MaxCost bounds the estimated cost of an expression and the cost of each evaluation. A
	// comparison of two short values costs about 3, and 1,000 are about a tenth of a
	// millisecond.
	MaxCost = 1000
)

// Scope says what an expression may see.
type Scope uint8

const (
	// Client is for expressions that clients send. They see the message alone.
	Client Scope = iota
	// Config is for expressions of the configuration. They also see user and claim.
	Config
)

// Filter is a compiled expression. It never changes, and several goroutines may use it at
// once.
type Filter struct {
	text    string
	program cel.Program
	user    bool     // the expression mentions user
	claims  []string // the claims that it mentions, sorted
	all     bool     // it may look at any claim
}

// Compile compiles an expression. Equal expressions mostly get the same Filter. Errors are for
// the author of the expression: it is empty, too long or too costly, is not valid CEL, gives no
// boolean, or reaches for something that it may not see.
func Compile(text string, in Scope) (*Filter, error) {
	switch {
	case strings.TrimSpace(text) == "":
		return nil, errors.New("the filter is empty")
	case len(text) > MaxLength:
		return nil, fmt.Errorf("the filter is longer than %d bytes", MaxLength)
	case !utf8.ValidString(text):
		return nil, errors.New("the filter is not valid UTF-8")
	}
	if f := compiled.find(text, in); f != nil {
		return f, nil
	}
	f, err := compile(text, in)
	if err != nil {
		return nil, err
	}
	return compiled.add(f, in), nil
}

func compile(text string, in Scope) (*Filter, error) {
	env := environments()[in]
	tree, issues := env.Compile(text)
	if err := issues.Err(); err != nil {
		return nil, explain(issues, in)
	}
	if t := tree.OutputType(); t.Kind() != types.BoolKind && t.Kind() != types.DynKind {
		return nil, fmt.Errorf("the filter gives a value of the type %s; it must give a boolean, such as in tags.team == \"red\"", t)
	}
	if err := checkCost(env, tree); err != nil {
		return nil, err
	}
	program, err := env.Program(tree, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(MaxCost))
	if err != nil {
		return nil, fmt.Errorf("the filter can not be used: %w", err)
	}
	f := &Filter{text: strings.Clone(text), program: program}
	f.user, f.claims, f.all = mentions(tree)
	return f, nil
}

// explain returns the first issue as one line.
func explain(issues *cel.Issues, in Scope) error {
	first := issues.Errors()[0]
	if name, hidden := undeclared(first.Message); hidden && in == Client {
		return fmt.Errorf("a client's filter can not see %s: it sees tags, event, sender and content", name)
	} else if name != "" {
		return fmt.Errorf("the filter mentions %q, which does not exist: there are tags, event, sender, content%s", name, more(in))
	}
	message, _, _ := strings.Cut(first.Message, "\n")
	if at := first.Location; at != nil && at.Column() >= 0 {
		return fmt.Errorf("the filter is not valid: line %d, column %d: %s", at.Line(), at.Column()+1, message)
	}
	return fmt.Errorf("the filter is not valid: %s", message)
}

// undeclared returns the name in the message about a variable that is not declared. hidden
// reports whether it is a variable of the configuration.
func undeclared(message string) (name string, hidden bool) {
	rest, ok := strings.CutPrefix(message, "undeclared reference to '")
	if !ok {
		return "", false
	}
	name, rest, _ = strings.Cut(rest, "'")
	if !strings.Contains(rest, "container") || strings.Contains(rest, "overload") {
		return "", false
	}
	return name, slices.Contains([]string{"user", "claim"}, name)
}

func more(in Scope) string {
	if in == Config {
		return ", user and claim"
	}
	return ""
}

// String returns the expression.
func (f *Filter) String() string { return f.text }

// Personal reports whether the answer depends on the subscriber.
func (f *Filter) Personal() bool { return f.user || f.all || len(f.claims) > 0 }
