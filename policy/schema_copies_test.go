package policy

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// There are as many copies of a schema as processors. Another comparison waits for one of them.
func TestSchemaCopies(t *testing.T) {
	t.Parallel()
	c := schema(t, `{"type":"object"}`).copies
	taken := make(chan *metered)
	take := func() {
		m, err := c.take()
		if err != nil {
			t.Error(err)
		}
		taken <- m
	}
	used := make(map[*metered]bool)
	for i := range runtime.GOMAXPROCS(0) {
		go take()
		select {
		case m := <-taken:
			used[m] = true
		case <-time.After(30 * time.Second):
			t.Errorf("%d comparisons take all copies", i)
			c.put(nil)
			<-taken
			return
		}
	}
	if len(used) != int(c.max) || used[nil] {
		t.Errorf("%d copies of %d", len(used), c.max)
	}
	go take()
	select {
	case <-taken:
		t.Error("a comparison has more copies than there are processors")
	case <-time.After(20 * time.Millisecond): // too little can only hide a mistake
		for m := range used {
			c.put(m)
		}
		if m := <-taken; !used[m] {
			t.Error("a new copy is used, although one was free")
		}
	}
	if n := c.made.Load(); n != c.max {
		t.Errorf("%d copies are counted, want %d", n, c.max)
	}
}

// A comparison may take all steps of its budget, and not one more.
func TestSchemaSteps(t *testing.T) {
	t.Parallel()
	m, err := schema(t, `{}`).copies.take()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		charges []int64
		want    bool
	}{{nil, true}, {[]int64{10}, true}, {[]int64{4, 6}, true}, {[]int64{11}, false}, {[]int64{4, 6, 1}, false}} {
		within := m.run(10, func() {
			for _, steps := range c.charges {
				m.charge(steps)
			}
		})
		if within != c.want {
			t.Errorf("steps of %v, of 10 at most: %t", c.charges, within)
		}
	}
	defer func() {
		if r := recover(); r != "mistake" {
			t.Errorf("a panic of something else became %v", r)
		}
	}()
	m.run(10, func() { panic("mistake") })
}

// The deeper a value is, the larger are the errors about it, and the fewer of them are collected.
func TestSchemaErrorSteps(t *testing.T) {
	t.Parallel()
	m, err := schema(t, `{"type":"object"}`).copies.take()
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(`1`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		depth, most int
		steps       int64
	}{{0, 1 << 30, maxErrorBytes / 256}, {16, 1 << 30, maxErrorBytes / 512}, {48, 1 << 30, maxErrorBytes / 1024}, {48, 100, 100}} {
		found := m.violations(v, c.depth, c.most)
		if left := m.left; found == nil || left != c.steps { // a wrong type is found before a step is counted
			t.Errorf("at a depth of %d, with %d at most: %d steps, want %d", c.depth, c.most, left, c.steps)
		}
	}
}
