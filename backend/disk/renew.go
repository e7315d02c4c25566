package disk

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/caddy-realtime/caddy-realtime/history"
)

// Renewed says what Renew has renewed.
type Renewed struct {
	Rooms, Documents int
}

// Renew gives all rooms and documents of a store new epochs, and the outbox a new name. An older
// copy of a store gives offsets, versions and ids of events out again that somebody has seen
// already. After Renew nobody takes them for those of before: clients get a gap. No process may
// have the store open. If Renew fails, the store stays as it is.
func Renew(dir string) (Renewed, error) {
	f, err := openOffline(dir, false)
	if err != nil {
		return Renewed{}, err
	}
	var r renewal
	if err := f.update(r.all); err != nil {
		_ = f.close() // nothing was changed
		return Renewed{}, fmt.Errorf("%s stays as it is: %w", f.path, err)
	}
	return r.Renewed, f.close()
}

// renewal is a transaction of Renew.
type renewal struct {
	Renewed
	epochs map[string]string // new ones by old ones
}

func (r *renewal) all(tx *bbolt.Tx) error {
	r.epochs = make(map[string]string)
	for _, step := range []struct {
		table []byte
		renew func(value []byte) ([]byte, error)
	}{{roomsBucket, r.room}, {keysBucket, r.key}, {documentsBucket, r.document}} {
		if err := rewrite(tx.Bucket(step.table), step.renew); err != nil {
			return fmt.Errorf("the table %s: %w", step.table, err)
		}
	}
	b := tx.Bucket(metaBucket)
	for name, value := range map[string]string{
		string(metaSecret): rand.Text(), // the epochs of rooms without messages come from it
		string(metaOutbox): strings.ToLower(rand.Text()[:8]),
	} {
		if err := b.Put([]byte(name), []byte(value)); err != nil {
			return err
		}
	}
	return b.Delete(metaDocuments)
}

// rewrite replaces the values of a table.
func rewrite(b *bbolt.Bucket, renew func(value []byte) ([]byte, error)) error {
	var all []record // a cursor must not be used while its table changes
	c := b.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		value, err := renew(v)
		if err != nil {
			return err
		}
		all = append(all, record{bytes.Clone(k), value})
	}
	for _, r := range all {
		if err := b.Put(r.key, r.value); err != nil {
			return err
		}
	}
	return nil
}

func (r *renewal) room(value []byte) ([]byte, error) {
	room, err := decodeRoom(value)
	if err != nil {
		return nil, err
	}
	epoch := history.NewEpoch()
	r.epochs[room.epoch], room.epoch = epoch, epoch
	r.Rooms++
	return room.encode(), nil
}

// key renews the position that is the answer to a repeated publish.
func (r *renewal) key(value []byte) ([]byte, error) {
	k, err := decodeKey(value)
	if err != nil {
		return nil, err
	}
	if epoch, ok := r.epochs[k.at.Epoch]; ok {
		k.at.Epoch = epoch
	}
	return k.encode(), nil
}

func (r *renewal) document(value []byte) ([]byte, error) {
	d, err := decodeDocument(value)
	if err != nil {
		return nil, err
	}
	d.epoch = history.NewEpoch()
	r.Documents++
	return d.encode(), nil
}
