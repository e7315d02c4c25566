package presence

import (
	"errors"
	"testing"
	"testing/synctest"
)

// Who is here is known without the store, everybody else by it. What the store can not
// say is not made up.
func TestPresent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster()
		here, there := newSite(t, c, Options{}), newSite(t, c, Options{})
		present := func(key string, want bool) {
			t.Helper()
			if got, err := here.Present(t.Context(), "r", key, Either); err != nil || got != want {
				t.Errorf("%q is present: %t, %v", key, got, err)
			}
		}
		present("ann", false)
		stay := here.enter("r", "ann", "1", Change{}, nil)
		there.enter("other", "bob", "2", Change{}, nil)
		present("ann", true)
		pass(0)
		present("bob", false)
		there.enter("r", "bob", "2", Change{}, nil)
		pass(0)
		present("bob", true)
		present("bo", false)

		here.node.set(func(n *node) { n.err = errors.New("away") })
		present("ann", true)
		if _, err := here.Present(t.Context(), "r", "cleo", Either); err == nil {
			t.Error("it is known who is not there")
		}
		here.node.set(func(n *node) { n.err = nil })
		stay.Leave()
		pass(0)
		present("ann", false)
	})
}
