package memory

import (
	"encoding/json"
	"maps"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/notify"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// messageEvent returns the event of a message, if it is chosen.
func (o *Outbox) messageEvent(m *hub.Message) (e notify.Event, chosen bool) {
	if m.Volatile || o == nil || !o.choice.Load().WantsMessage(m.Channel, m.Event, m.Sender) { // the app would get it when it is out of date
		return e, false
	}
	e = notify.Event{
		Type: notify.Message, Channel: m.Channel, Sender: m.Sender, Event: m.Event, Content: m.Content,
		Epoch: m.Position.Epoch, Offset: m.Position.Offset, Except: m.Except,
	}
	if m.Direct != nil {
		e.To = (*notify.Address)(&m.Direct.To)
	}
	return e, true
}

// recordMessage records a message that is about to be broadcast, if it is chosen. Where a room is
// locked, the caller holds the lock, so that the order is that of the room.
func (o *Outbox) recordMessage(m *hub.Message) {
	if e, ok := o.messageEvent(m); ok {
		o.record(e)
	}
}

// recordMembers records which members of a room entered or left, together with the members that
// the journal is to have. The caller holds the room's lock.
func (o *Outbox) recordMembers(channel string, evs []presence.Event, kept map[MemberKey]*SavedMember) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, ev := range evs {
		t := notify.Entered
		switch ev.Kind {
		case presence.Updated:
			continue
		case presence.Left:
			t = notify.Left
		}
		if o.wants(t, channel) {
			o.append(notify.Event{
				Type: t, Channel: channel, User: ev.Member.Key,
				Status: ev.Member.Status, Info: json.RawMessage(ev.Member.Info),
			})
		}
	}
	if len(kept) > 0 {
		maps.Copy(o.journal.dirty.members, kept)
		o.journal.to.Changed()
	}
}

// changeEvent returns the event of a change, if it is chosen.
func (o *Outbox) changeEvent(channel string, entry *document.Entry) (notify.Event, bool) {
	return notify.Event{
		Type: notify.Changed, Channel: channel, Sender: entry.Author,
		Version: entry.Version, Patch: entry.Patch,
	}, o.wants(notify.Changed, channel)
}

// recordChange records a change of a document. The caller holds the document's lock.
func (o *Outbox) recordChange(channel string, entry *document.Entry) {
	if e, ok := o.changeEvent(channel, entry); ok {
		o.record(e)
	}
}
