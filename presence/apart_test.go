package presence

import "testing"

// A connection that is apart is not told of its own member, and is told of all others. Other connections
// of the same member are told.
func TestApart(t *testing.T) {
	ann, bob, eve := &Member{Key: "ann"}, &Member{Key: "bob"}, &Member{Key: "eve"}
	d := &Diff{Entered: []*Member{ann, bob}, Left: []*Member{eve}, Seq: 7, apart: map[string]*Member{"1": ann}}
	own := d.For("1")
	if own == nil || len(own.Entered) != 1 || own.Entered[0] != bob || len(own.Left) != 1 || own.Seq != 7 {
		t.Errorf("the connection is told %+v", own)
	}
	if other := d.For("2"); other != nil {
		t.Errorf("another connection is told %+v", other)
	}
	if len(d.Entered) != 2 {
		t.Error("the diff of the others has changed")
	}
	inRoom(t, grace, func(t *testing.T, s *site, _ *watcher) {
		for _, w := range []Who{{Connection: "1", User: "ann", Apart: true}, {Connection: "2", User: "ann"}, {Connection: "3", User: "bob", Apart: true}} {
			stay, err := s.Tracker.Enter("r", w, Change{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer stay.Leave()
		}
		var own map[string]*Member
		stay, _ := s.Tracker.Watch("r", nil)
		stay.room.look(func() { own = stay.room.apart([]*Member{ann, bob, eve}) })
		stay.Leave()
		if len(own) != 2 || own["1"] != ann || own["3"] != bob {
			t.Errorf("apart: %v", own)
		}
	})
}

// Renewed are the members whose info is another one. A status alone renews nobody.
func TestRenewed(t *testing.T) {
	v := new(view)
	v.put(&Member{Key: "ann", Info: `{"n":1}`})
	v.put(&Member{Key: "bob", Info: `{"n":1}`})
	v.flush()
	v.put(&Member{Key: "ann", Info: `{"n":1}`, Status: Away})
	v.put(&Member{Key: "bob", Info: `{"n":2}`})
	c := v.flush()
	if len(c.updated) != 2 || len(c.renewed) != 1 || c.renewed[0].Key != "bob" {
		t.Errorf("updated %d, renewed %v", len(c.updated), c.renewed)
	}
}
