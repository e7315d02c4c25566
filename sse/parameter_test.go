package sse

import (
	"net/url"
	"strconv"
	"testing"
)

// A query with many names costs next to nothing for each of them.
func TestManyParametersAreCheap(t *testing.T) {
	query := make(url.Values)
	for i := range 1000 {
		query["a"+strconv.Itoa(i)] = nil
	}
	if n := testing.AllocsPerRun(10, func() {
		if e := mistaken(query, nil); e != nil {
			t.Error(e)
		}
	}); n > 10 {
		t.Errorf("%v allocations for 1000 names", n)
	}
}
