package policy

import (
	"encoding/json"
	"regexp/syntax"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// price is what one schema costs for one value, in steps. It covers the schema's own
// keywords and the entry into its subschemas, which charge for themselves later. So the
// library never does much work that was not charged.
type price struct {
	fixed       int64 // for any value
	perMember   int64 // of an object
	perElement  int64 // of an array
	perByte     int64 // of a string, in steps for 256 bytes
	perNameByte int64 // of a member's name, in steps for 256 bytes
	unique      bool  // compares the elements of an array with each other
}

const (
	lengthCost = 1   // per 256 bytes: the characters are counted
	formatCost = 16  // per 256 bytes: the slowest formats parse byte by byte
	regexCost  = 100 // per byte: the expression is compiled, and can repeat a thousandfold
)

// priceOf returns the price of s. all are the schemas that a dynamic reference can lead to.
func priceOf(s *jsonschema.Schema, all []*jsonschema.Schema) price {
	p := price{fixed: 1 + int64(len(s.Required)+len(s.Dependencies)+len(s.DependentRequired)), unique: s.UniqueItems}
	for _, names := range s.DependentRequired {
		p.fixed += int64(len(names))
	}
	for _, e := range inPlace(s, all) {
		p.fixed += entry(e.to)
	}
	p.perMember = memberCost(s)
	p.perElement = elementCost(s)
	if s.MinLength != nil || s.MaxLength != nil {
		p.perByte += lengthCost
	}
	if s.Pattern != nil {
		p.perByte += programSize(s.Pattern)
	}
	for re := range s.PatternProperties {
		p.perNameByte += programSize(re)
	}
	switch {
	case s.Format == nil:
	case s.Format.Name == "regex":
		p.perByte += regexCost << 8
	default:
		p.perByte += formatCost
	}
	return p
}

// of returns the price for one value.
func (p *price) of(v any) int64 {
	switch v := v.(type) {
	case map[string]any:
		steps := p.fixed + p.perMember*int64(len(v))
		if p.perNameByte > 0 {
			for name := range v {
				steps += p.perNameByte * int64(len(name)) >> 8
			}
		}
		return steps
	case []any:
		steps := p.fixed + p.perElement*int64(len(v))
		if p.unique {
			// The library compares pairs in short arrays, and hashes in long ones.
			steps += int64(values(v)) * int64(max(2, min(len(v), 20)/2))
		}
		return steps
	case string:
		return p.fixed + p.perByte*int64(len(v))>>8
	case json.Number:
		return p.fixed + int64(len(v))>>4
	}
	return p.fixed
}

// entry is what a schema costs before it charges for itself: it compares the value with
// constants.
func entry(s *jsonschema.Schema) int64 {
	if s == nil {
		return 0
	}
	n := 1
	if s.Const != nil {
		n += values(*s.Const)
	}
	if s.Enum != nil {
		n += values(s.Enum.Values)
	}
	return int64(n)
}

// memberCost is the entry into the schemas that are applied to each member of an object.
func memberCost(s *jsonschema.Schema) (n int64) {
	for _, one := range s.Properties {
		n = max(n, entry(one)) // a name has one of them
	}
	for _, one := range s.PatternProperties {
		n += 1 + entry(one)
	}
	additional, _ := s.AdditionalProperties.(*jsonschema.Schema)
	n += entry(additional) + entry(s.PropertyNames) + entry(s.UnevaluatedProperties)
	return max(1, n)
}

// elementCost is the entry into the schemas that are applied to each element of an array.
func elementCost(s *jsonschema.Schema) (n int64) {
	for _, one := range s.PrefixItems {
		n = max(n, entry(one)) // an index has one of them
	}
	switch items := s.Items.(type) {
	case *jsonschema.Schema:
		n = max(n, entry(items))
	case []*jsonschema.Schema:
		for _, one := range items {
			n = max(n, entry(one))
		}
	}
	additional, _ := s.AdditionalItems.(*jsonschema.Schema)
	n += entry(s.Items2020) + entry(additional) + entry(s.Contains) + entry(s.UnevaluatedItems)
	return max(1, n)
}

// programSize returns the number of instructions of a compiled expression. Matching takes
// at most that many operations for each byte.
func programSize(re jsonschema.Regexp) int64 {
	parsed, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return 1 // never: the library has compiled it
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return 1 // never, likewise
	}
	return int64(len(program.Inst))
}

// values counts v and everything in it.
func values(v any) int {
	n := 1
	switch v := v.(type) {
	case map[string]any:
		for _, member := range v {
			n += values(member)
		}
	case []any:
		for _, element := range v {
			n += values(element)
		}
	}
	return n
}
