package disk

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/notify"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// trimEvents bounds how many delivered events one transaction removes.
const trimEvents = 2000

// Outbox returns the outbox of the store, which goes on with what the file has. It is called once,
// before the other parts of the store are made. [Store.EndHolds] follows it.
func (s *Store) Outbox() (*memory.Outbox, error) {
	box := memory.NewOutbox()
	kept := memory.Changes{Sinks: make(map[string]*memory.SavedSink)}
	s.holds, s.members = make(map[memory.Hold]*string), make(map[memory.MemberKey]*memory.SavedMember)
	if err := s.file.view(func(tx *bbolt.Tx) error { return s.loadOutbox(tx, &kept) }); err != nil {
		return nil, fmt.Errorf("store: reading the events of %s: %w", s.file.path, err)
	}
	// The name of an outbox is in the ids of its events, which apps see: no secret.
	box.Keep(journal{s}, s.meta.outbox, kept)
	s.box.Store(box)
	return box, nil
}

func (s *Store) loadOutbox(tx *bbolt.Tx, kept *memory.Changes) error {
	kept.Lost = int(binary.BigEndian.Uint64(padded(tx.Bucket(metaBucket).Get(metaLost))))
	err := tx.Bucket(eventsBucket).ForEach(func(seq, value []byte) error {
		e, err := decodeEvent(value)
		kept.Events = append(kept.Events, e)
		return err
	})
	if err != nil {
		return err
	}
	err = tx.Bucket(sinksBucket).ForEach(func(name, value []byte) error {
		k := new(memory.SavedSink)
		kept.Sinks[string(name)] = k
		return decodeSink(value, k)
	})
	if err != nil {
		return err
	}
	err = tx.Bucket(holdsBucket).ForEach(func(name, user []byte) error {
		s.holds[memory.Hold{Channel: name[0] == channelHold, Name: string(name[1:])}] = new(string(user))
		return nil
	})
	if err != nil {
		return err
	}
	return tx.Bucket(membersBucket).ForEach(func(key, value []byte) error {
		k, m, err := decodeMember(key, value)
		s.members[k] = m
		return err
	})
}

// EndHolds records the ends of the connections and channels that the process before had. It is
// called when the outbox has its choice.
func (s *Store) EndHolds() {
	s.box.Load().EndHolds(s.holds)
	s.holds = nil
}

// Presence returns the members of the store, and delivers to sink. Members that were present when
// the process before ended are in their grace, which lasts at least Options.Return. It is called once,
// after [Store.Outbox].
func (s *Store) Presence(sink presence.Sink) *memory.PresenceStore {
	p := memory.NewPresenceStore(sink).Record(s.box.Load())
	p.Restore(s.members, s.o.Return)
	s.members = nil
	return p
}

// journal is the [memory.Journal] of a store.
type journal struct{ store *Store }

// Changed implements [memory.Journal].
func (j journal) Changed() { j.store.late.notify() }

// Sync implements [memory.Journal].
func (j journal) Sync(ctx context.Context) error {
	o := new(syncing)
	if err := j.store.do(ctx, o); err != nil {
		return err
	}
	return o.err
}

// syncing is an operation that changes nothing.
type syncing struct{ outcome }

func (*syncing) write(*work) error { return nil }

// collect writes what the outbox has to store.
func (s *Store) collect(w *work) error {
	box := s.box.Load()
	if box == nil {
		return nil
	}
	c := box.Collect()
	for i := range c.Events {
		if err := w.events.Put(number(c.Events[i].Seq), encodeEvent(&c.Events[i])); err != nil {
			return err
		}
	}
	for name, k := range c.Sinks {
		if err := putOrDelete(w.sinks, []byte(name), k != nil, func() []byte { return encodeSink(k) }); err != nil {
			return err
		}
	}
	for h, user := range c.Holds {
		if err := putOrDelete(w.holds, holdKey(h), user != nil, func() []byte { return []byte(*user) }); err != nil {
			return err
		}
	}
	for k, m := range c.Members {
		if err := putOrDelete(w.members, memberKey(k), m != nil, func() []byte { return encodeMember(m) }); err != nil {
			return err
		}
	}
	if err := w.trim(c.Trimmed); err != nil {
		return err
	}
	if lost := number(uint64(c.Lost)); !bytes.Equal(lost, padded(w.meta.Get(metaLost))) {
		return w.meta.Put(metaLost, lost)
	}
	return nil
}

func putOrDelete(t table, key []byte, put bool, value func() []byte) error {
	if !put {
		return t.Delete(key)
	}
	return t.Put(key, value())
}

// trim removes events up to a number.
func (w *work) trim(to uint64) error {
	var over [][]byte
	c := w.events.Cursor()
	for seq, _ := c.First(); seq != nil && binary.BigEndian.Uint64(seq) <= to && len(over) < trimEvents; seq, _ = c.Next() {
		over = append(over, bytes.Clone(seq))
	}
	for _, seq := range over {
		if err := w.events.Delete(seq); err != nil {
			return err
		}
	}
	return nil
}

// savedEvent is an event in the file, with what requests to the app do not have.
type savedEvent struct {
	notify.Event
	Except string `json:"except,omitempty"`
}

func encodeEvent(e *notify.Event) []byte {
	b, err := json.Marshal(savedEvent{*e, e.Except})
	if err != nil { // a content that is no JSON can not be sent to the app
		short := *e
		short.Content, short.Info, short.Patch = nil, nil, nil
		b, _ = json.Marshal(savedEvent{short, e.Except})
	}
	return b
}

func decodeEvent(b []byte) (notify.Event, error) {
	var e savedEvent
	if json.Unmarshal(b, &e) != nil {
		return e.Event, errDamaged
	}
	e.Event.Except = e.Except
	return e.Event, nil
}
