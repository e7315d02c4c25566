package presence

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// model is the naive reference: when each user was last wanted on each node.
type model struct {
	grace time.Duration
	users map[place]*wanted
}

// place is a user on a node.
type place struct {
	node int
	user string
}

type wanted struct {
	stays int
	until time.Time // the end of the grace of lost stays
}

func (m *model) at(p place) *wanted {
	if m.users[p] == nil {
		m.users[p] = new(wanted)
	}
	return m.users[p]
}

// present lists who is in the room, and who might be because a grace ended within
// the last moment.
func (m *model) present(now time.Time, moment time.Duration) (sure []string, maybe map[string]bool) {
	in := make(map[string]bool)
	maybe = make(map[string]bool)
	for p, w := range m.users {
		if w.stays > 0 || w.until.After(now) {
			in[p.user] = true
		} else if w.until.Add(moment).After(now) {
			maybe[p.user] = true
		}
	}
	for user := range in {
		delete(maybe, user)
	}
	return slices.Sorted(maps.Keys(in)), maybe
}

// churn is random traffic in one room.
type churn struct {
	t     *testing.T
	rnd   *rand.Rand
	c     *cluster
	sites []*site
	model model
	stays []*visit
	ids   int

	mode     mode
	watchers []*watcher
}

// mode is a kind of churn.
type mode struct {
	limit  int
	faults bool // stores fail, hang, and lose events
	expire bool // nodes are taken for dead
	sparse bool // few come at all, so that rooms end and begin
}

type visit struct {
	*Stay
	place
	anonymous bool
}

func (c *churn) enter() {
	p := place{c.rnd.IntN(len(c.sites)), fmt.Sprintf("u%02d", c.rnd.IntN(c.crowd()))}
	c.ids++
	id, user := fmt.Sprintf("c%d", c.ids), p.user
	v := &visit{place: p, anonymous: c.rnd.IntN(8) == 0}
	if v.anonymous {
		user, v.user = "", id
	}
	v.Stay = c.sites[p.node].enter("r", user, id, c.change(), nil)
	c.stays = append(c.stays, v)
	w := c.model.at(v.place)
	w.stays++
	w.until = time.Time{}
}

func (c *churn) crowd() int {
	if c.mode.sparse {
		return 3
	}
	return 40
}

// change says something now and then.
func (c *churn) change() (ch Change) {
	if c.rnd.IntN(3) == 0 {
		ch.Status = []string{Online, Away, "busy"}[c.rnd.IntN(3)]
	}
	if c.rnd.IntN(4) == 0 {
		ch.Info = json.RawMessage(fmt.Sprintf(`{"n":%d}`, c.rnd.IntN(3)))
	}
	return ch
}

func (c *churn) leave() {
	i := c.rnd.IntN(len(c.stays))
	v := c.stays[i]
	c.stays = slices.Delete(c.stays, i, i+1)
	w := c.model.at(v.place)
	w.stays--
	if c.rnd.IntN(3) == 0 {
		v.Leave()
		return
	}
	v.Lose()
	if until := time.Now().Add(c.model.grace); !v.anonymous && until.After(w.until) {
		w.until = until
	}
}

func (c *churn) watch() {
	if s := c.sites[c.rnd.IntN(len(c.sites))]; c.rnd.IntN(3) > 0 && len(c.watchers) < c.crowd() {
		c.watchers = append(c.watchers, s.watch("r"))
	} else if len(c.watchers) > 0 {
		i := c.rnd.IntN(len(c.watchers))
		c.watchers[i].leave("r")
		c.watchers = slices.Delete(c.watchers, i, i+1)
	}
}

// disturb changes how a node's store behaves.
func (c *churn) disturb() {
	n := c.sites[c.rnd.IntN(len(c.sites))].node
	switch c.rnd.IntN(6) {
	case 0:
		n.set(fails)
	case 1:
		n.set(func(n *node) { n.hang = true })
	case 2:
		n.set(func(n *node) { n.deaf = true })
	default:
		n.recover()
	}
}

// step does one random thing.
func (c *churn) step() {
	switch k := c.rnd.IntN(20); {
	case k < 8 && (!c.mode.sparse || k < 6) || len(c.stays) == 0:
		c.enter()
	case k < 16:
		c.leave()
	case k == 16:
		if err := c.stays[c.rnd.IntN(len(c.stays))].Update(c.change()); err != nil {
			c.t.Error(err)
		}
	case k == 17:
		c.watch()
	case k == 18 && c.mode.faults:
		c.disturb()
	case k == 19 && c.mode.expire:
		c.sites[c.rnd.IntN(len(c.sites))].node.expire()
	case len(c.watchers) > 0:
		c.watchers[c.rnd.IntN(len(c.watchers))].page()
	}
}

// check compares what the watchers have with the model, when all has settled.
func (c *churn) check() {
	const quiet = time.Second // windows, slow calls and late events
	pass(quiet)
	now := time.Now()
	want, maybe := c.model.present(now, quiet)
	for i, w := range c.watchers {
		for w.incomplete() {
			w.page()
			synctest.Wait()
		}
		w.mu.Lock()
		got := slices.Sorted(maps.Keys(w.have))
		w.mu.Unlock()
		got = slices.DeleteFunc(got, func(key string) bool { return maybe[key] })
		if !slices.Equal(got, want) {
			c.t.Errorf("watcher %d has\n%v, want\n%v", i, got, want)
		}
	}
}

// finish lets everything end and compares all that can be compared.
func (c *churn) finish() {
	for _, s := range c.sites {
		if c.mode.faults {
			s.node.recover()
		}
		c.watchers = append(c.watchers, s.watch("r"))
	}
	pass(time.Minute)
	c.check()
	var all []*Member
	for _, h := range c.c.rooms["r"] {
		all = append(all, h.shown)
	}
	want := shown(slices.Values(all))
	frames := 0
	for i, w := range c.watchers {
		expect(c.t, fmt.Sprint("watcher ", i, " at the end"), w.members(), want...)
		frames = max(frames, w.frames)
	}
	c.t.Logf("%d members, %d watchers, at most %d frames to one", len(want), len(c.watchers), frames)
}

// run is churn for a minute, checked every few seconds unless there are faults.
func (c *churn) run() {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		for range c.rnd.IntN(100) {
			c.step()
			if c.rnd.IntN(2) == 0 {
				pass(time.Duration(c.rnd.Int64N(int64(80 * time.Millisecond))))
			}
		}
		if !c.mode.faults {
			c.check()
		}
	}
	c.finish()
}

func TestChurn(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]mode{
		"calm":             {limit: 100},
		"large":            {limit: 10},
		"sparse":           {limit: 100, sparse: true},
		"taken for dead":   {limit: 100, expire: true},
		"faults":           {limit: 100, faults: true},
		"faults and large": {limit: 10, faults: true, expire: true},
		"faults, sparse":   {limit: 100, faults: true, expire: true, sparse: true},
	} {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { newChurn(t, seed, m).run() })
			})
		}
	}
}

func newChurn(t *testing.T, seed uint64, m mode) *churn {
	c := &churn{t: t, rnd: rand.New(rand.NewPCG(seed, 7)), c: newCluster(), mode: m}
	c.model = model{grace: time.Second, users: make(map[place]*wanted)}
	for i := range 3 {
		s := newSite(t, c.c, Options{Grace: c.model.grace, Snapshot: m.limit})
		s.node.set(func(n *node) {
			n.slow = time.Duration(i*i) * 7 * time.Millisecond
			n.lag = time.Duration(i*(3-i)) * 11 * time.Millisecond
		})
		c.sites = append(c.sites, s)
	}
	return c
}
