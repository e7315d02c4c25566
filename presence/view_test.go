package presence

import "testing"

// Changes that are not announced yet count: members who enter, and who leave. An update changes nothing.
func TestSizeOfAView(t *testing.T) {
	t.Parallel()
	v := new(view)
	for _, key := range []string{"ann", "bob", "carl"} {
		v.announced.Put(&Member{Key: key})
	}
	v.put(&Member{Key: "ann", Status: "busy"})
	for i, step := range []struct {
		do   func()
		want int
	}{
		{func() {}, 3},
		{func() { v.put(&Member{Key: "dora"}) }, 4},
		{func() { v.drop("bob") }, 3},
		{func() { v.drop("carl") }, 2},
		{func() { v.drop("dora") }, 1},
		{func() { v.put(&Member{Key: "bob"}) }, 2},
	} {
		if step.do(); v.size() != step.want {
			t.Errorf("step %d: %d members, want %d", i, v.size(), step.want)
		}
	}
}
