package presence

import "context"

// readStore replaces the view with what the store has. Needs mu.
func (r *room) readStore() storeCall {
	r.link.current, r.link.tells = true, 0 // unless something is missed meanwhile
	r.link.reported = make(map[string]struct{})
	var list []*Member
	return storeCall{
		call: func(ctx context.Context) (err error) {
			list, err = readAll(ctx, r.tracker.store, r.channel)
			return err
		},
		done: func(err error) {
			touched := r.link.reported
			r.link.reported = nil
			r.storeResult(err)
			if err == nil {
				r.adoptList(list, touched)
			}
		},
	}
}

// adoptList replaces the view with what was read. Members of which the store sent events
// during the read stay as they are: the events are as new, or newer ones follow. Needs mu.
func (r *room) adoptList(list []*Member, touched map[string]struct{}) {
	known := make(map[string]bool, len(list))
	for _, m := range list {
		known[m.Key] = true
		if l := r.locals[m.Key]; l != nil {
			l.unconfirmed = false
		}
	}
	r.view.replace(list, func(key string) bool {
		if _, ok := touched[key]; ok {
			return true
		}
		l := r.locals[key]
		return l != nil && l.present() && !known[key]
	})
	for key, l := range r.locals {
		if _, ok := touched[key]; !ok && !known[key] && l.stored != nil {
			r.missingInStore(l)
		}
	}
	r.partial = false
	r.makeReady()
	r.scheduleFlush()
}

// missingInStore corrects what this node believes of the store: a read did not return the
// member, although this node had told the store of it. Needs mu.
func (r *room) missingInStore(l *local) {
	l.stored, l.unconfirmed = nil, l.present()
	r.checkStore(l)
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
