package policy

import (
	"cmp"
	"errors"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const (
	// maxSteps limits what comparing one content with a schema may cost. A step is about
	// one subschema applied to one value: a fraction of a microsecond. A content of 10,000
	// values, the default bound, has 20 steps for each value.
	maxSteps = 200_000
	// maxErrorBytes limits the memory of the errors that describe what is wrong with one
	// content.
	maxErrorBytes = 32 << 20
	// stepBytes is about the size of one error without the path to its value. pathBytes is
	// what each level of the path adds.
	stepBytes, pathBytes = 256, 16
)

// metered is one compiled copy of a schema. It counts the steps of a comparison and breaks
// it off. The library can not be cancelled and collects every error of every branch, so
// that a content of some hundred bytes can keep it busy for years. Only one goroutine at a
// time may use a copy, because the count belongs to it.
type metered struct {
	// Static.
	root    *jsonschema.Schema
	inverse *jsonschema.Schema // accepts what root rejects
	all     []*jsonschema.Schema

	// Owned by the goroutine that took the copy.
	left int64 // steps that may still be taken
}

// overBudget is the value of the panic that breaks a comparison off.
type overBudget struct{}

// inverseURL is the place of the negated schema.
const inverseURL = "room:///inverse"

// compileMetered compiles a copy of the schema. It rejects schemas with loops.
func compileMetered(doc any) (*metered, error) {
	c, err := newCompiler(doc)
	if err != nil {
		return nil, err
	}
	m := new(metered)
	c.RegisterVocabulary(&jsonschema.Vocabulary{URL: "room:///steps", Compile: m.collect})
	c.AssertVocabs()
	negation := map[string]any{"not": map[string]any{"$ref": schemaURL}}
	if err = c.AddResource(inverseURL, negation); err != nil {
		return nil, err
	}
	if m.inverse, err = c.Compile(inverseURL); err != nil {
		return nil, err
	}
	m.root = m.inverse.Not.Ref
	slices.SortFunc(m.all, func(a, b *jsonschema.Schema) int { return cmp.Compare(a.Location, b.Location) })
	if err = findLoop(m.all); err != nil {
		return nil, err
	}
	for _, s := range m.all {
		m.install(s)
	}
	return m, nil
}

// collect is called by the compiler for each schema that is an object.
func (m *metered) collect(ctx *jsonschema.CompilerContext, _ map[string]any) (jsonschema.SchemaExt, error) {
	m.all = append(m.all, ctx.Enqueue(nil))
	return nil, nil
}

// install makes a schema charge for what it will do with a value. It uses the format,
// because that is the one keyword that runs our code before the costly keywords.
func (m *metered) install(s *jsonschema.Schema) {
	own, p := s.Format, priceOf(s, m.all)
	format := &jsonschema.Format{Validate: func(v any) error {
		m.charge(p.of(v))
		if own == nil {
			return nil
		}
		return own.Validate(v)
	}}
	if own != nil {
		format.Name = own.Name
	}
	s.Format = format
}

func (m *metered) charge(steps int64) {
	if m.left -= steps; m.left < 0 {
		panic(overBudget{})
	}
}

// valid reports whether v matches the schema, and whether the comparison stayed within the
// budget. It asks the negation, because below a `not` the library keeps no errors.
func (m *metered) valid(v any, steps int) (valid, within bool) {
	within = m.run(steps, func() { valid = m.inverse.Validate(v) != nil })
	return valid, within
}

// violations returns what is wrong with v, a value of the given depth, or nil if that takes
// too many steps. The larger the errors can be, the smaller is the budget.
func (m *metered) violations(v any, depth, most int) (found *jsonschema.ValidationError) {
	steps := min(most, maxErrorBytes/(stepBytes+pathBytes*depth))
	if !m.run(steps, func() { errors.As(m.root.Validate(v), &found) }) {
		return nil
	}
	return found
}

// run calls f and reports whether it ended within the given number of steps.
func (m *metered) run(steps int, f func()) (within bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, ours := r.(overBudget); !ours {
				panic(r)
			}
			within = false
		}
	}()
	m.left = int64(steps)
	f()
	return true
}

// copies lends compiled copies of one schema. There are as many as processors, which limits
// the memory of comparisons that run at once.
type copies struct {
	doc  any
	max  int32
	made atomic.Int32
	free chan *metered
}

func newCopies(doc any, first *metered) *copies {
	limit := runtime.GOMAXPROCS(0)
	c := &copies{doc: doc, max: int32(limit), free: make(chan *metered, limit)}
	c.made.Store(1)
	c.free <- first
	return c
}

// take returns a copy that nobody else uses. If all are in use it waits for one, which is
// short because each comparison has a budget.
func (c *copies) take() (*metered, error) {
	select {
	case m := <-c.free:
		return m, nil
	default:
	}
	if c.made.Add(1) <= c.max {
		return compileMetered(c.doc)
	}
	c.made.Add(-1)
	return <-c.free, nil
}

func (c *copies) put(m *metered) { c.free <- m }
