package presence

import "context"

// read makes the view what the store has. Needs mu.
func (r *room) read() storeCall {
	r.link.current, r.link.tells = true, 0 // unless something is missed meanwhile
	r.link.touched = make(map[string]struct{})
	var list []*Member
	return storeCall{
		call: func(ctx context.Context) (err error) {
			list, err = readAll(ctx, r.tracker.store, r.channel)
			return err
		},
		done: func(err error) {
			touched := r.link.touched
			r.link.touched = nil
			r.outcome(err)
			if err == nil {
				r.adopt(list, touched)
			}
		},
	}
}

// adopt replaces the view by what was read. What the store told of meanwhile is
// at least as new, or will be followed by what is.
func (r *room) adopt(list []*Member, touched map[string]struct{}) {
	known := make(map[string]bool, len(list))
	for _, m := range list {
		known[m.Key] = true
		if l := r.locals[m.Key]; l != nil {
			l.unknown = false
		}
	}
	r.view.replace(list, func(key string) bool {
		if _, ok := touched[key]; ok {
			return true
		}
		l := r.locals[key]
		return l != nil && l.here() && !known[key]
	})
	for key, l := range r.locals {
		if _, ok := touched[key]; !ok && !known[key] && l.told != nil {
			r.forgotten(l)
		}
	}
	r.partial = false
	r.show()
	r.changed()
}

// forgotten follows the news that the store does not have a member that it was
// told of.
func (r *room) forgotten(l *local) {
	l.told, l.unknown = nil, l.here()
	r.reconsider(l)
}

func readAll(ctx context.Context, s Store, channel string) (all []*Member, err error) {
	q := Query{Limit: pageSize}
	for {
		page, err := s.List(ctx, channel, q)
		if err != nil {
			return nil, err
		}
		for _, m := range page.Members {
			all = append(all, m.Member)
		}
		if !page.More || len(page.Members) == 0 {
			return all, nil
		}
		q.After = all[len(all)-1].Key
	}
}
