package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

const (
	// portionBytes and portionRecords bound what one transaction of a copy has. The copy
	// syncs each portion, so that the disk is not busy with it for long at once.
	portionBytes   = 512 << 10
	portionRecords = 2000
	// copyFill is how full the pages of a copy are. Rooms in use grow in the middle of the
	// file, so some space is left.
	copyFill = 0.9
)

// copying makes a copy of a file, portion by portion. The copy has no free pages. One goroutine
// at a time uses it.
type copying struct {
	from *file
	to   *bbolt.DB
	path string // of the copy
	done int64  // bytes of records that were copied
}

// record is what a table has at a key. The value is nil if the table has nothing there.
type record struct{ key, value []byte }

// newCopying opens an empty file beside a file.
func newCopying(from *file) (*copying, error) {
	c := &copying{from: from, path: from.path + ".new"}
	if err := os.Remove(c.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var err error
	c.to, _, err = from.openAt(c.path, 0)
	if err == nil {
		err = keepOwner(from.path, c.path)
	}
	if err != nil {
		c.discard()
		return nil, err
	}
	return c, nil
}

// discard removes the copy.
func (c *copying) discard() {
	if c.to != nil {
		_ = c.to.Close() // nobody needs the copy
	}
	_ = os.Remove(c.path) // opening the store removes what is left
}

// all copies all tables. It calls between after each portion.
func (c *copying) all(between func() error) error {
	names, err := c.from.tables()
	for _, name := range names {
		for after := []byte(nil); err == nil; err = between() {
			var portion []record
			if portion, err = c.read(name, after); err != nil {
				break
			}
			if err = c.write(name, portion); err != nil || len(portion) == 0 {
				break
			}
			after = portion[len(portion)-1].key
		}
	}
	return err
}

// read returns the records of a table that follow a key, as many as a portion has.
func (c *copying) read(name string, after []byte) (portion []record, err error) {
	err = c.from.view(func(tx *bbolt.Tx) error {
		cursor, size := tx.Bucket([]byte(name)).Cursor(), 0
		for k, v := cursor.Seek(following(after)); k != nil && size < portionBytes && len(portion) < portionRecords; k, v = cursor.Next() {
			if v == nil {
				return fmt.Errorf("the table %s has another table in it", name)
			}
			portion = append(portion, record{append([]byte{}, k...), append([]byte{}, v...)})
			size += len(k) + len(v)
		}
		return nil
	})
	return portion, err
}

// following returns the first key after a key.
func following(key []byte) []byte {
	if key == nil {
		return nil
	}
	return append(key[:len(key):len(key)], 0)
}

// write stores records in the copy, and removes those that have no value.
func (c *copying) write(name string, records []record) error {
	return c.update(func(tx *bbolt.Tx) error { return c.put(tx, name, records) })
}

func (c *copying) put(tx *bbolt.Tx, name string, records []record) error {
	b, err := tx.CreateBucketIfNotExists([]byte(name))
	if err != nil {
		return err
	}
	b.FillPercent = copyFill
	for _, r := range records {
		if r.value == nil {
			err = b.Delete(r.key)
		} else {
			err = b.Put(r.key, r.value)
		}
		if err != nil {
			return err
		}
		c.done += int64(len(r.key) + len(r.value))
	}
	return nil
}

// update calls do with a transaction that writes into the copy.
func (c *copying) update(do func(*bbolt.Tx) error) error {
	copied := &file{o: c.from.o, path: c.path, db: c.to}
	return copied.update(do)
}

// again copies keys that have changed since they were copied.
func (c *copying) again(keys map[change]struct{}) error {
	byTable := make(map[string][]record)
	err := c.from.view(func(tx *bbolt.Tx) error {
		for k := range keys {
			v := tx.Bucket([]byte(k.table)).Get([]byte(k.key))
			if v != nil {
				v = append([]byte{}, v...)
			}
			byTable[k.table] = append(byTable[k.table], record{[]byte(k.key), v})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.update(func(tx *bbolt.Tx) error {
		for name, records := range byTable {
			if err := c.put(tx, name, records); err != nil {
				return err
			}
		}
		return c.sequences(tx)
	})
}

// sequences copies the numbers that the tables give out.
func (c *copying) sequences(to *bbolt.Tx) error {
	return c.from.view(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			copied, err := to.CreateBucketIfNotExists(name)
			if err != nil {
				return err
			}
			return copied.SetSequence(b.Sequence())
		})
	})
}

// tables returns the names of all tables.
func (f *file) tables() (names []string, err error) {
	err = f.view(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			names = append(names, string(name))
			return nil
		})
	})
	return names, err
}

// replace puts the copy in the place of the file. The copy keeps its lock all the time, so that
// no other process can open it in between. The file of before is closed.
func (f *file) replace(c *copying) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.db == nil {
		return errors.New("the store is not open")
	}
	if !f.named() {
		return errors.New("the file was removed or replaced by somebody else")
	}
	is, err := os.Stat(c.path)
	if err != nil {
		return err
	}
	if err := os.Rename(c.path, f.path); err != nil {
		return err
	}
	old := f.db
	f.db, f.is, c.to = c.to, is, nil
	// Without this a power cut could bring the old file back, without what is stored from now on.
	err = syncFolder(filepath.Dir(f.path))
	return errors.Join(err, old.Close())
}
