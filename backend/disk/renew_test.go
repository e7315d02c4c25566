package disk

import (
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// After Renew no position and no version of before means anything, and all that was stored is there.
func TestRenew(t *testing.T) {
	t.Parallel()
	dir := filled(t)
	type seen struct {
		room, keyed, empty hub.Position
		document, outbox   string
	}
	look := func() (is seen) {
		s, d := openDocuments(t, Options{Dir: dir})
		b := s.broker.Load()
		defer shut(t, s, b)
		for channel, at := range map[string]*hub.Position{"room0": &is.room, "empty": &is.empty} {
			page, err := b.History(t.Context(), channel, hundred, hub.HistoryQuery{Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			*at = page.Top
		}
		again := publish(t, b, "keyed", `"secret"`, "key-1", hundred)
		if !again.Duplicate {
			t.Error("the key is forgotten")
		}
		is.keyed = again.Position
		r, err := d.Load(t.Context(), "doc", document.Known{})
		if err != nil {
			t.Fatal(err)
		}
		is.document = r.Epoch
		is.outbox = s.meta.outbox
		return is
	}
	before := look()
	if r, err := Renew(dir); err != nil || r.Rooms != 4 || r.Documents != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if c, err := Check(dir, nil); err != nil || len(c.Problems) > 0 || c.Records["messages"] != 301 {
		t.Errorf("%+v, %v", c, err)
	}
	after := look()
	for what, was := range map[string][2]string{
		"a room": {before.room.Epoch, after.room.Epoch}, "a key": {before.keyed.Epoch, after.keyed.Epoch},
		"an empty room": {before.empty.Epoch, after.empty.Epoch}, "a document": {before.document, after.document},
		"the outbox": {before.outbox, after.outbox},
	} {
		if was[0] == "" || was[1] == "" || was[0] == was[1] {
			t.Errorf("the epoch of %s was %q and is %q", what, was[0], was[1])
		}
	}
	if after.room.Offset != before.room.Offset || after.keyed.Offset != before.keyed.Offset {
		t.Errorf("%+v, and before %+v", after, before)
	}
}

// A store in which something can not be read stays as it is.
func TestRenewDamaged(t *testing.T) {
	t.Parallel()
	dir := filled(t)
	alter(t, dir, func(tx *bbolt.Tx) error { return tx.Bucket(keysBucket).Put(number(1), []byte{0xff}) })
	if _, err := Renew(dir); err == nil || !strings.Contains(err.Error(), "stays as it is: the table keys: ") {
		t.Error(err)
	}
}
