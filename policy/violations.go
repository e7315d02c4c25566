package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	kinds "github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

const (
	// maxViolations is how many violations one error names.
	maxViolations = 10
	// maxPath and maxReason limit the text about each of them, in bytes.
	maxPath   = 80
	maxReason = 120
)

// describe says what is wrong and where, as JSON pointers, always in the same order. The
// text may repeat parts of the content, which its sender knows, and of the schema, which is
// no secret.
func describe(e *jsonschema.ValidationError) string {
	var v violations
	v.collect(e)
	var parts []string
	for _, one := range v.first {
		parts = append(parts, reason(one))
	}
	if more := v.count - len(v.first); more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, "; ")
}

// violations keeps the first violations of a content that may have thousands.
type violations struct {
	first []*jsonschema.ValidationError
	count int
}

// collect adds the violations that e means. An error that only groups others is left out
// for its causes. Of a choice, both the error and its causes are added, because no single
// one of them has to be corrected.
func (v *violations) collect(e *jsonschema.ValidationError) {
	if e.ErrorKind != nil && !holdsTogether(e) {
		v.add(e)
	}
	for _, cause := range e.Causes {
		v.collect(cause)
	}
}

func (v *violations) add(e *jsonschema.ValidationError) {
	v.count++
	at := len(v.first)
	for at > 0 && compareViolations(e, v.first[at-1]) < 0 {
		at--
	}
	if at == maxViolations {
		return
	}
	v.first = slices.Insert(v.first, at, e)
	v.first = v.first[:min(len(v.first), maxViolations)]
}

func holdsTogether(e *jsonschema.ValidationError) bool {
	switch e.ErrorKind.(type) {
	case *kinds.Schema, *kinds.Group, *kinds.Reference, *kinds.AllOf:
		return len(e.Causes) > 0
	}
	return false
}

func compareViolations(a, b *jsonschema.ValidationError) int {
	if c := slices.Compare(a.InstanceLocation, b.InstanceLocation); c != 0 {
		return c
	}
	return cmp.Or(slices.Compare(a.ErrorKind.KeywordPath(), b.ErrorKind.KeywordPath()), cmp.Compare(a.SchemaURL, b.SchemaURL))
}

// reason describes one violation by itself.
func reason(e *jsonschema.ValidationError) string {
	if k, ok := e.ErrorKind.(*kinds.AdditionalProperties); ok {
		slices.Sort(k.Properties)
	}
	alone := jsonschema.ValidationError{InstanceLocation: e.InstanceLocation, ErrorKind: e.ErrorKind}
	unit := alone.BasicOutput()
	text := protocol.Printable(unit.Error.String(), maxReason)
	if unit.InstanceLocation == "" {
		return text
	}
	return protocol.Printable(unit.InstanceLocation, maxPath) + ": " + text
}
