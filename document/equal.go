package document

import (
	"encoding/json"
	"strconv"
	"strings"
)

func equal(a, b any) bool {
	switch a := a.(type) {
	case *object:
		b, ok := b.(*object)
		return ok && equalObjects(a, b)
	case *array:
		b, ok := b.(*array)
		return ok && equalArrays(a, b)
	case json.Number:
		b, ok := b.(json.Number)
		return ok && (a == b || decimalOf(string(a)) == decimalOf(string(b)))
	}
	return a == b
}

func equalObjects(a, b *object) bool {
	if len(a.members) != len(b.members) {
		return false
	}
	for name, v := range a.members {
		w, ok := b.members[name]
		if !ok || !equal(v, w) {
			return false
		}
	}
	return true
}

func equalArrays(a, b *array) bool {
	if len(a.items) != len(b.items) {
		return false
	}
	for i, v := range a.items {
		if !equal(v, b.items[i]) {
			return false
		}
	}
	return true
}

// decimal is a number as 0.digits times ten to the power of exponent, without zeros
// at either end of the digits, so that each number has one form. Zero has no digits
// and no sign.
type decimal struct {
	negative bool
	digits   string
	exponent int64
	// odd is the text of an exponent beyond all use, which is then compared as it
	// is written.
	odd string
}

func decimalOf(s string) (d decimal) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	if exponent != "" {
		n, err := strconv.ParseInt(exponent, 10, 32)
		if err != nil {
			d.odd = exponent
		}
		d.exponent = n
	}
	mantissa, d.negative = strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	all := whole + fraction
	d.digits = strings.TrimLeft(all, "0")
	d.exponent += int64(len(whole) - (len(all) - len(d.digits)))
	d.digits = strings.TrimRight(d.digits, "0")
	if d.digits == "" {
		return decimal{}
	}
	return d
}
