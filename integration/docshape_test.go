package integration

import (
	"fmt"
	"path"
	"reflect"
)

// excerpts are objects of which a page shows only a part.
var excerpts = map[string]bool{"gauges": true, "counters": true}

// whileZero are numbers that an answer leaves out while they are 0.
var whileZero = map[string]bool{"closed": true}

// differences returns how the shape of an answer differs from the shape on a page: names and types. An
// element of a list on the page looks like some element of the answer.
func differences(at string, page, answer any) (all []string) {
	switch p := page.(type) {
	case map[string]any:
		a, ok := answer.(map[string]any)
		if !ok {
			break
		}
		for name, value := range p {
			if _, ok := a[name]; !ok {
				if whileZero[name] {
					continue
				}
				all = append(all, fmt.Sprintf("%s/%s is missing in the answer", at, name))
				continue
			}
			more := differences(at+"/"+name, value, a[name])
			all = append(all, more...)
		}
		for name := range a {
			if _, ok := p[name]; !ok && !excerpts[path.Base(at)] {
				all = append(all, fmt.Sprintf("%s/%s is missing on the page", at, name))
			}
		}
		return all
	case []any:
		a, ok := answer.([]any)
		if !ok {
			break
		}
		for i, element := range p {
			best := []string{fmt.Sprintf("%s has no element %d", at, i)}
			for j, other := range a {
				if d := differences(at, element, other); j == 0 || len(d) < len(best) {
					best = d
				}
			}
			all = append(all, best...)
		}
		return all
	}
	if reflect.TypeOf(page) != reflect.TypeOf(answer) {
		return []string{fmt.Sprintf("%s is %T in the answer and %T on the page", at, answer, page)}
	}
	return nil
}
