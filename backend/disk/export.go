package disk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"go.etcd.io/bbolt"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// ExportOptions say what an export has.
type ExportOptions struct {
	// Channel is the only channel that is exported; empty: all.
	Channel string
	// All adds idempotency keys and revocations.
	All      bool
	Progress Progress
	// Damaged is called for what can not be read and is left out.
	Damaged func(what string, err error)
}

// Export writes the contents of a store that no process has open, as lines of JSON. It never writes the
// secret of the store, from which the epochs of rooms can be computed.
func Export(dir string, to io.Writer, o ExportOptions) error {
	f, err := openOffline(dir, true)
	if err != nil {
		return err
	}
	size, free := f.sizes()
	e := &exporting{file: f, o: o, to: json.NewEncoder(to), total: size - free}
	e.to.SetEscapeHTML(false)
	err = e.head()
	if err == nil {
		err = e.each(roomsBucket, e.room)
	}
	if err == nil {
		err = e.each(documentsBucket, e.document)
	}
	if err == nil {
		err = e.each(membersBucket, e.member)
	}
	if err == nil {
		err = e.each(eventsBucket, e.event)
	}
	if err == nil && o.All {
		err = e.each(keysBucket, e.key)
	}
	if err == nil && o.All && o.Channel == "" {
		err = e.each(ordersBucket, e.order)
	}
	return errors.Join(err, f.close())
}

// exporting is one export.
type exporting struct {
	file        *file
	o           ExportOptions
	to          *json.Encoder
	done, total int64
}

func (e *exporting) head() error {
	return e.file.view(func(tx *bbolt.Tx) error {
		b := tx.Bucket(metaBucket)
		if b == nil || !bytes.Equal(b.Get(metaFormat), number(format)) {
			return errors.New("the file is not a store, or is of another version; caddy realtime store check says more")
		}
		return e.to.Encode(struct {
			Type   string `json:"type"`
			Format int    `json:"format"`
			Hub    string `json:"hub"`
		}{"store", format, string(b.Get(metaHub))})
	})
}

// written marks an error of the writer, which ends the export.
type written struct{ error }

func (e *exporting) write(line any) error {
	if err := e.to.Encode(line); err != nil {
		return &written{err}
	}
	return nil
}

// each calls export for the records of a table, each in a transaction of its own: what can not be read
// does not end the export.
func (e *exporting) each(table []byte, export func(tx *bbolt.Tx, key, value []byte) error) error {
	for after := []byte(nil); ; {
		var key []byte
		err := e.file.view(func(tx *bbolt.Tx) error {
			b := tx.Bucket(table)
			if b == nil {
				return nil
			}
			k, value := b.Cursor().Seek(following(after))
			if key = bytes.Clone(k); key == nil {
				return nil
			}
			e.done += int64(len(value))
			return export(tx, key, value)
		})
		var w *written
		switch {
		case errors.As(err, &w):
			return w.error
		case err != nil && e.o.Damaged != nil:
			e.o.Damaged(fmt.Sprintf("%s %q", table, key), err)
		}
		if key == nil {
			return nil
		}
		e.o.Progress.show(min(e.done, e.total), e.total)
		after = key
	}
}

// leaves reports whether a channel is left out.
func (e *exporting) leaves(channel string) bool {
	return e.o.Channel != "" && e.o.Channel != channel
}

func (e *exporting) room(tx *bbolt.Tx, channel, value []byte) error {
	if e.leaves(string(channel)) {
		return nil
	}
	r, err := decodeRoom(value)
	if err != nil {
		return err
	}
	err = e.write(struct {
		Type    string    `json:"type"`
		Channel string    `json:"channel"`
		Epoch   string    `json:"epoch"`
		First   uint64    `json:"first"`
		Top     uint64    `json:"top"`
		TTL     string    `json:"ttl,omitempty"`
		Used    time.Time `json:"used"`
	}{"room", string(channel), r.epoch, r.first, r.top, lasting(r.ttl), r.used.UTC()})
	if err != nil {
		return err
	}
	return r.messages(tx, func(offset uint64, value []byte) error {
		e.done += int64(len(value))
		m, stored, err := decodeMessage(value, string(channel), r.epoch, offset)
		if err != nil {
			return err
		}
		return e.message(m, stored)
	})
}

func (e *exporting) message(m *hub.Message, stored time.Time) error {
	return e.write(struct {
		Type    string    `json:"type"`
		Channel string    `json:"channel"`
		Offset  uint64    `json:"offset"`
		Time    time.Time `json:"time"`
		Stored  time.Time `json:"stored"`
		Event   string    `json:"event,omitempty"`
		Sender  string    `json:"sender,omitempty"`
		Tags    any       `json:"tags,omitempty"`
		Content any       `json:"content"`
	}{"message", m.Channel, m.Position.Offset, m.Time.UTC(), stored.UTC(), m.Event, m.Sender, value(m.Tags), value(m.Content)})
}

func (e *exporting) document(tx *bbolt.Tx, channel, raw []byte) error {
	if e.leaves(string(channel)) {
		return nil
	}
	r, err := decodeDocument(raw)
	if err != nil {
		return err
	}
	d, err := r.load(tx, string(channel))
	if err != nil {
		return err
	}
	err = e.write(struct {
		Type     string `json:"type"`
		Channel  string `json:"channel"`
		Epoch    string `json:"epoch"`
		Version  uint64 `json:"version"`
		Base     uint64 `json:"base"`
		Snapshot any    `json:"snapshot,omitempty"`
	}{"document", d.Channel, d.Epoch, d.Version, d.Base, value(d.Snapshot)})
	for i := 0; err == nil && i < len(d.Entries); i++ {
		err = e.change(d.Channel, &d.Entries[i])
	}
	return err
}

func (e *exporting) change(channel string, c *document.Entry) error {
	return e.write(struct {
		Type    string    `json:"type"`
		Channel string    `json:"channel"`
		Version uint64    `json:"version"`
		Time    time.Time `json:"time"`
		Author  string    `json:"author,omitempty"`
		Patch   any       `json:"patch"`
	}{"change", channel, c.Version, c.Time.UTC(), c.Author, value(c.Patch)})
}

func (e *exporting) member(_ *bbolt.Tx, key, raw []byte) error {
	k, m, err := decodeMember(key, raw)
	if err != nil || e.leaves(k.Channel) {
		return err
	}
	return e.write(struct {
		Type    string    `json:"type"`
		Channel string    `json:"channel"`
		Member  string    `json:"member"`
		Status  string    `json:"status,omitempty"`
		Info    any       `json:"info,omitempty"`
		Gone    bool      `json:"gone,omitempty"`
		Seen    time.Time `json:"seen,omitzero"`
	}{"member", k.Channel, k.Key, m.Status, value([]byte(m.Info)), m.Gone, m.Seen.UTC()})
}

// event exports an event that the app has not accepted.
func (e *exporting) event(_ *bbolt.Tx, _, raw []byte) error {
	v, err := decodeEvent(raw)
	if err != nil || e.leaves(v.Channel) {
		return err
	}
	return e.write(struct {
		Type  string `json:"type"`
		Event any    `json:"event"`
	}{"event", v})
}

func (e *exporting) key(_ *bbolt.Tx, _, raw []byte) error {
	k, err := decodeKey(raw)
	if err != nil || e.leaves(k.channel) {
		return err
	}
	return e.write(struct {
		Type    string `json:"type"`
		Channel string `json:"channel"`
		Key     string `json:"key"`
		Offset  uint64 `json:"offset,omitempty"`
	}{"key", k.channel, k.key, k.at.Offset})
}

func (e *exporting) order(_ *bbolt.Tx, name, raw []byte) error {
	o, err := decodeOrder(raw)
	if err != nil {
		return err
	}
	return e.write(struct {
		Type   string    `json:"type"`
		Name   string    `json:"name"`
		Issued time.Time `json:"issued"`
		Until  time.Time `json:"until,omitzero"`
		Body   any       `json:"body"`
	}{"order", string(name), o.issued.UTC(), o.until.UTC(), value(o.body)})
}

// value returns JSON as it is, and other bytes as base64.
func value(b []byte) any {
	switch {
	case len(b) == 0:
		return nil
	case json.Valid(b):
		return json.RawMessage(b)
	}
	return struct {
		Base64 []byte `json:"base64"`
	}{b}
}

func lasting(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}
