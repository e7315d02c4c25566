package disk

import "go.etcd.io/bbolt"

// table is a bucket in a transaction that writes. It notes each key that the transaction changes,
// because a compaction that goes on must copy the key again. So all changes of the file go
// through Put and Delete of a table, and never through a cursor. A table has no bucket inside.
type table struct {
	*bbolt.Bucket
	name    string
	changed *[]change // nil: nobody needs the changes
}

// change is a key that a transaction has changed.
type change struct{ table, key string }

func (t table) Put(key, value []byte) error {
	t.note(key)
	return t.Bucket.Put(key, value)
}

func (t table) Delete(key []byte) error {
	t.note(key)
	return t.Bucket.Delete(key)
}

func (t table) note(key []byte) {
	if t.changed != nil {
		*t.changed = append(*t.changed, change{t.name, string(key)})
	}
}
