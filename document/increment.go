package document

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// incrementMark is the last segment of a path in [Entry.Touched] of an increment. It is below
// the number, so that the change overlaps with every other change of the number. No real
// path has it, because a ~ in a name is written as ~0.
const incrementMark = "/~+"

// incremented returns the path of the number if touched is the path of an increment.
func incremented(touched string) (path string, ok bool) {
	return strings.CutSuffix(touched, incrementMark)
}

// increment adds a number to the number at a path. A missing member counts as 0.
func (e *edit) increment(p pointer, by any) *Error {
	if len(p) == 0 {
		return e.incrementRoot(by)
	}
	at, err := e.parent(p)
	if err != nil {
		return err
	}
	path, last := p.String(), p[len(p)-1]
	old, there := lookUp(at, last)
	o, inObject := at.(*object)
	if !there && !inObject {
		return missing(p)
	}
	if !there {
		old = json.Number("0")
	}
	sum, err := sumOf(old, by, p)
	if err != nil {
		return err
	}
	e.touchAppended(path)
	e.touched = append(e.touched, path+incrementMark)
	if inObject {
		return e.set(o, last, sum, len(p))
	}
	at.(*array).items[indexOf(last)] = sum
	e.shrink(old, 0)
	return e.grow(sum, len(p), 0)
}

// incrementRoot is increment for a document that is a number.
func (e *edit) incrementRoot(by any) *Error {
	sum, err := sumOf(e.root, by, nil)
	if err != nil {
		return err
	}
	e.shrink(e.root, 0)
	e.root = sum
	e.touched = append(e.touched, incrementMark)
	return e.grow(sum, 0, 0)
}

// sumOf adds as JavaScript does, so that clients and nodes get the same number.
func sumOf(old, by any, p pointer) (json.Number, *Error) {
	a, ok := old.(json.Number)
	if !ok {
		return "", failf(Invalid, "the value at the path %s is no number", quote(p.String()))
	}
	b, _ := by.(json.Number)
	x, _ := strconv.ParseFloat(string(a), 64) // out of range is infinite
	y, _ := strconv.ParseFloat(string(b), 64)
	if sum := x + y; math.IsInf(sum, 0) || math.IsNaN(sum) {
		return "", failf(Invalid, "the number at the path %s would be larger than those of JavaScript", quote(p.String()))
	}
	return json.Number(appendNumber(nil, x+y)), nil
}
