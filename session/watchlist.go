package session

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

const (
	// watchPause is how long changes are collected before users are counted. A page that is loaded
	// again is not offline in between.
	watchPause = time.Second
	// watchAgain is after how many pauses all watched users are counted, because a node may have died
	// with the connections of some.
	watchAgain = 30
	// maxWatchedID is the greatest length of the id of a user that can be watched, in bytes.
	maxWatchedID = 128
)

// Watchlists notifies clients of users that come online or go offline. A user is online while it has a
// connection to any node. Nothing is done without [Config.Watchlists].
//
// It works as [Audience] does: a node that has seen the first connection of a user, or the end of
// the last one, asks the others, and the question makes those count the user that have clients who watch it.
type Watchlists struct {
	// Static after New.
	registry *Registry

	on atomic.Bool

	// Guarded by mu.
	mu       sync.Mutex
	lists    map[*Session]*watchlist
	watchers map[string]map[*Session]struct{} // by user
	online   map[string]bool                  // of the watched users, as far as it is known
	changed  map[string]bool                  // users to count; true if the change was on this node
	ticks    int
	waiting  bool // a timer of tick runs, or tick does
}

// watchlist is what one session watches. [Watchlists.mu] guards told.
type watchlist struct {
	users []string
	told  bool // of all users at once
}

func (w *Watchlists) init(r *Registry) {
	w.registry, r.sessions.changed = r, w.userChanged
	w.clear()
}

// clear forgets everything. Needs mu, except before the first session.
func (w *Watchlists) clear() {
	w.lists, w.watchers = make(map[*Session]*watchlist), make(map[string]map[*Session]struct{})
	w.online, w.changed = make(map[string]bool), make(map[string]bool)
}

// apply turns watchlists on or off.
func (w *Watchlists) apply(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.on.Store(on); !on {
		w.clear()
	}
}

// userChanged is called when a user has its first connection to this node, or none any more.
func (w *Watchlists) userChanged(user string) {
	if w.on.Load() && len(user) <= maxWatchedID {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.note(user, true)
	}
}

// note notes that a user is to be counted. Needs mu.
func (w *Watchlists) note(user string, here bool) {
	w.changed[user] = w.changed[user] || here
	w.start()
}

// start starts the timer, unless it runs. Needs mu.
func (w *Watchlists) start() {
	if !w.waiting {
		w.waiting = true
		time.AfterFunc(watchPause, w.tick)
	}
}

// Watch makes the client learn which of some users are online, and later of changes. It replaces an
// earlier list. The caller bounds how many users there are.
func (s *Session) Watch(users []string) {
	w := &s.registry.Watchlists
	users = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(users))), func(user string) bool { return user == "" || len(user) > maxWatchedID })
	if !w.on.Load() || len(users) == 0 {
		w.drop(s)
		return
	}
	w.add(s, users)
	s.mu.Lock()
	over := s.over
	s.mu.Unlock()
	if over {
		w.drop(s) // the end of the session came before
	}
}

func (w *Watchlists) add(s *Session, users []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.remove(s)
	w.lists[s] = &watchlist{users: users}
	for _, user := range users {
		if w.watchers[user] == nil {
			w.watchers[user] = make(map[*Session]struct{})
		}
		w.watchers[user][s] = struct{}{}
		w.note(user, false)
	}
}

// drop forgets what a session watches.
func (w *Watchlists) drop(s *Session) {
	if w.on.Load() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.remove(s)
	}
}

// remove is drop with mu held.
func (w *Watchlists) remove(s *Session) {
	list := w.lists[s]
	if list == nil {
		return
	}
	delete(w.lists, s)
	for _, user := range list.users {
		if delete(w.watchers[user], s); len(w.watchers[user]) == 0 {
			delete(w.watchers, user)
			delete(w.online, user)
		}
	}
}

// tick counts what has changed. One call at a time runs.
func (w *Watchlists) tick() {
	defer guard.Recover(w.registry.rules.Load().log, "counting users", w.again)
	for _, p := range w.due() {
		w.count(p)
	}
	w.tell()
	w.again()
}

// again starts the next timer if something is left to count, or a node may die.
func (w *Watchlists) again() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting = false
	if !w.registry.hub.Ended() && (len(w.changed) > 0 || len(w.lists) > 0 && w.registry.Inspection.asker != nil) {
		w.start()
	}
}

// due takes the users that are to be counted now.
func (w *Watchlists) due() []part {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ticks++; w.ticks%watchAgain == 0 {
		for user := range w.watchers {
			w.note(user, false)
		}
	}
	return takeParts(w.changed, func(string) bool { return false })
}

// count counts users over all nodes, and sends clients what has changed.
func (w *Watchlists) count(p part) {
	q := countQuestion{Users: p.names, Changed: p.changed}
	pages, coverage := ask(context.Background(), &w.registry.Inspection, question{Counts: &q}, w.countsHere(q))
	news := make(map[*Session]*protocol.Watched)
	w.mu.Lock()
	for i, n := range sums(pages, len(p.names)) {
		w.record(p.names[i], n > 0, coverage.Partial, news)
	}
	w.mu.Unlock()
	for s, ev := range news {
		s.Conn().Send(*ev)
	}
}

// record notes whether a user is online, and adds a change to what its watchers are sent. Needs mu.
func (w *Watchlists) record(user string, online, partial bool, news map[*Session]*protocol.Watched) {
	if w.watchers[user] == nil {
		return
	}
	if partial {
		w.note(user, false)
	}
	was, known := w.online[user]
	if w.online[user] = online; !known || was == online {
		return
	}
	for s := range w.watchers[user] {
		if !w.lists[s].told {
			continue // it is told of all of its users
		}
		if news[s] == nil {
			news[s] = new(protocol.Watched)
		}
		add(news[s], user, online)
	}
}

// tell sends new watchers the state of all their users, once it is known.
func (w *Watchlists) tell() {
	news := make(map[*Session]protocol.Watched)
	w.mu.Lock()
	for s, list := range w.lists {
		if ev, known := w.state(list); known && !list.told {
			list.told, news[s] = true, ev
		}
	}
	w.mu.Unlock()
	for s, ev := range news {
		s.Conn().Send(ev)
	}
}

// state returns which users of a list are online. known is false if one was not counted yet. Needs mu.
func (w *Watchlists) state(list *watchlist) (ev protocol.Watched, known bool) {
	if list.told {
		return ev, false
	}
	for _, user := range list.users {
		online, known := w.online[user]
		if !known {
			return ev, false
		}
		add(&ev, user, online)
	}
	return ev, true
}

func add(ev *protocol.Watched, user string, online bool) {
	if online {
		ev.Online = append(ev.Online, user)
	} else {
		ev.Offline = append(ev.Offline, user)
	}
}

// respond answers a question of another node.
func (w *Watchlists) respond(q countQuestion) []int {
	w.mu.Lock()
	for _, user := range q.Users[:q.changedOf(q.Users)] {
		if w.watchers[user] != nil {
			w.note(user, false)
		}
	}
	w.mu.Unlock()
	return w.countsHere(q)
}

// countsHere returns how many connections users have to this node.
func (w *Watchlists) countsHere(q countQuestion) []int {
	counts := make([]int, len(q.Users))
	for i, user := range q.Users {
		counts[i] = w.registry.sessions.here(user)
	}
	return counts
}
