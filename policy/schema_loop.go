package policy

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// edge leads from a schema to a schema that it applies to the same value.
type edge struct {
	keyword string
	to      *jsonschema.Schema
}

// inPlace returns the schemas that s applies to its own value, in a fixed order. all are
// the schemas that a dynamic reference can lead to.
func inPlace(s *jsonschema.Schema, all []*jsonschema.Schema) (edges []edge) {
	one := func(keyword string, to *jsonschema.Schema) {
		if to != nil {
			edges = append(edges, edge{keyword, to})
		}
	}
	several := func(keyword string, to []*jsonschema.Schema) {
		for i, s := range to {
			one(keyword+"/"+strconv.Itoa(i), s)
		}
	}
	one("$ref", s.Ref)
	several("allOf", s.AllOf)
	several("anyOf", s.AnyOf)
	several("oneOf", s.OneOf)
	one("not", s.Not)
	one("if", s.If)
	one("then", s.Then)
	one("else", s.Else)
	for _, name := range slices.Sorted(maps.Keys(s.DependentSchemas)) {
		one("dependentSchemas/"+name, s.DependentSchemas[name])
	}
	for _, name := range slices.Sorted(maps.Keys(s.Dependencies)) {
		to, _ := s.Dependencies[name].(*jsonschema.Schema)
		one("dependencies/"+name, to)
	}
	for _, to := range recursive(s.RecursiveRef, all) {
		one("$recursiveRef", to)
	}
	for _, to := range dynamic(s.DynamicRef, all) {
		one("$dynamicRef", to)
	}
	return edges
}

// recursive returns where a $recursiveRef can lead.
func recursive(ref *jsonschema.Schema, all []*jsonschema.Schema) []*jsonschema.Schema {
	if ref == nil || !ref.RecursiveAnchor {
		return []*jsonschema.Schema{ref}
	}
	return restrict(all, func(s *jsonschema.Schema) bool { return s.RecursiveAnchor })
}

// dynamic returns where a $dynamicRef can lead.
func dynamic(ref *jsonschema.DynamicRef, all []*jsonschema.Schema) []*jsonschema.Schema {
	switch {
	case ref == nil:
		return nil
	case ref.Anchor == "" || ref.Ref.DynamicAnchor != ref.Anchor:
		return []*jsonschema.Schema{ref.Ref}
	}
	return restrict(all, func(s *jsonschema.Schema) bool { return s.DynamicAnchor == ref.Anchor })
}

func restrict(all []*jsonschema.Schema, keep func(*jsonschema.Schema) bool) (kept []*jsonschema.Schema) {
	for _, s := range all {
		if keep(s) {
			kept = append(kept, s)
		}
	}
	return kept
}

// findLoop returns an error if a schema can apply itself to the same value again. Recursion
// into members and elements is fine, because it ends with the content.
func findLoop(all []*jsonschema.Schema) error {
	open := make(map[*jsonschema.Schema]bool) // false once everything below was seen
	var visit func(s *jsonschema.Schema) error
	visit = func(s *jsonschema.Schema) error {
		open[s] = true
		for _, e := range inPlace(s, all) {
			isOpen, seen := open[e.to]
			if isOpen {
				return fmt.Errorf("'%s/%s' applies '%s' to the same value again, so that checking it would never end", pointer(s), e.keyword, pointer(e.to))
			}
			if seen {
				continue
			}
			if err := visit(e.to); err != nil {
				return err
			}
		}
		open[s] = false
		return nil
	}
	for _, s := range all {
		if _, seen := open[s]; seen {
			continue
		}
		if err := visit(s); err != nil {
			return err
		}
	}
	return nil
}

// pointer returns the place of s in the text of the schema.
func pointer(s *jsonschema.Schema) string { return strings.TrimPrefix(s.Location, schemaURL) }
