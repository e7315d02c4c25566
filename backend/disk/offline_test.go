package disk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/notify"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// filled makes a store with rooms, a document, a key and an order, and closes it.
func filled(t *testing.T) (dir string) {
	dir = t.TempDir()
	s, d := openDocuments(t, Options{Dir: dir})
	b := s.broker.Load()
	for i := range 300 {
		publish(t, b, fmt.Sprint("room", i%3), `"`+strings.Repeat("x", 100)+`"`, "", hundred)
	}
	publish(t, b, "keyed", `"secret"`, "key-1", hundred)
	for range 5 {
		if _, err := commitTo(t, d, "doc", document.Commit{Snapshot: []byte(`{"a":1}`)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Control(new(executor)).Order(t.Context(), hub.Order{Name: "revoke ann", Body: []byte(`{"user":"ann"}`)}); err != nil {
		t.Fatal(err)
	}
	shut(t, s, b)
	return dir
}

func TestCheck(t *testing.T) {
	t.Parallel()
	dir := filled(t)
	shown := int64(0)
	r, err := Check(dir, func(done, _ int64) { shown = done })
	if err != nil || len(r.Problems) > 0 || r.Hub != "default" || r.Records["messages"] != 301 || r.Records["documentlog"] == 0 || r.Records["orders"] != 1 {
		t.Errorf("%+v, %v, %d shown", r, err, shown)
	}
}

// Each table that a store has is checked.
func TestCheckKnowsAllTables(t *testing.T) {
	t.Parallel()
	known := make(map[string]bool)
	for _, c := range checks {
		known[string(c.table)] = true
	}
	for _, name := range buckets {
		if !known[string(name)] {
			t.Errorf("the table %s is not checked", name)
		}
	}
}

// A check names what is wrong with each kind of damage.
func TestCheckFinds(t *testing.T) {
	t.Parallel()
	whole := filled(t)
	for want, damage := range map[string]func(*bbolt.Tx) error{
		"goes on with message 6 where message 5 should be": func(tx *bbolt.Tx) error { return tx.Bucket(messagesBucket).Delete(place(1, 5)) },
		"ends with message 99, and has noted 100":          func(tx *bbolt.Tx) error { return tx.Bucket(messagesBucket).Delete(place(1, 100)) },
		"the message is of no room":                        func(tx *bbolt.Tx) error { return tx.Bucket(messagesBucket).Put(place(77, 1), []byte("x")) },
		"the table rooms: record":                          func(tx *bbolt.Tx) error { return tx.Bucket(roomsBucket).Put([]byte("bad"), []byte{0xff}) },
		"message 7 of room":                                func(tx *bbolt.Tx) error { return tx.Bucket(messagesBucket).Put(place(1, 7), []byte{0xff}) },
		"is not the one that the room has noted": func(tx *bbolt.Tx) error {
			m := message("room0", `"another"`)
			return tx.Bucket(messagesBucket).Put(place(1, 100), encodeMessage(m, m.Time))
		},
		"message 9 of room \"room0\" is not what was stored": func(tx *bbolt.Tx) error { return flip(tx, place(1, 9)) },
		"lacks a part of its changes":                        func(tx *bbolt.Tx) error { return tx.Bucket(documentKeysBucket).Delete(place(1, 5)) },
		"the table orders: record":                           func(tx *bbolt.Tx) error { return tx.Bucket(ordersBucket).Put([]byte("x"), []byte{0xff}) },
		"the table keys: record":                             func(tx *bbolt.Tx) error { return tx.Bucket(keysBucket).Put(number(1), []byte{0xff}) },
		"the table members: record":                          func(tx *bbolt.Tx) error { return tx.Bucket(membersBucket).Put([]byte("x"), []byte{0xff}) },
		"the table events: record":                           func(tx *bbolt.Tx) error { return tx.Bucket(eventsBucket).Put(number(1), []byte("{")) },
		"the table sinks: record":                            func(tx *bbolt.Tx) error { return tx.Bucket(sinksBucket).Put([]byte("x"), []byte{0xff}) },
		"the secret of the store":                            func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Delete(metaSecret) },
		"it has format 7 and this":                           func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Put(metaFormat, number(7)) },
		"the table meta is missing":                          func(tx *bbolt.Tx) error { return tx.DeleteBucket(metaBucket) },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			dir := copied(t, whole)
			alter(t, dir, damage)
			r, err := Check(dir, nil)
			if err != nil || !strings.Contains(strings.Join(r.Problems, "\n"), want) {
				t.Errorf("%v, %+v", err, r)
			}
		})
	}
}

// flip changes one bit in the content of a message.
func flip(tx *bbolt.Tx, key []byte) error {
	value := bytes.Clone(tx.Bucket(messagesBucket).Get(key))
	value[len(value)-2] ^= 1
	return tx.Bucket(messagesBucket).Put(key, value)
}

// alter changes the file of a closed store.
func alter(t *testing.T, dir string, do func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(dir, fileName), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(do), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// copied returns the folder of a copy of a closed store.
func copied(t *testing.T, dir string) string {
	t.Helper()
	other := t.TempDir()
	if err := os.CopyFS(other, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return other
}

// Whichever page is torn, a check finds it, opening the store and an export do not end the process, and an
// export without damage is whole.
func TestTornPages(t *testing.T) {
	t.Parallel()
	dir := filled(t)
	text, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	inUse := make(map[int]bool)
	f, err := openOffline(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	_ = f.view(func(tx *bbolt.Tx) error {
		size = tx.DB().Info().PageSize
		for id := range int(tx.Size()) / size {
			p, err := tx.Page(id)
			inUse[id] = err == nil && id > 1 && p.Type != "free"
		}
		return nil
	})
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
	torn := t.TempDir()
	path := filepath.Join(torn, fileName)
	for id, used := range inUse {
		if !used {
			continue
		}
		damaged := bytes.Clone(text)
		copy(damaged[id*size:(id+1)*size], bytes.Repeat([]byte{0xaa}, size))
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := Check(torn, nil); err == nil && len(r.Problems) == 0 {
			t.Errorf("page %d is torn, and a check finds nothing: %+v", id, r)
		}
		_ = Export(torn, new(bytes.Buffer), ExportOptions{All: true})
		if s, err := Open(Options{Dir: torn, Hub: "default"}); err == nil {
			_ = s.Close()
		}
	}
	for _, end := range []int{len(text) / 2, 3 * size, size, 10} {
		if err := os.WriteFile(path, text[:end], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Check(torn, nil); err == nil || !strings.Contains(err.Error(), "damaged") && !strings.Contains(err.Error(), "too small") {
			t.Errorf("a file of %d of %d bytes: %v", end, len(text), err)
		}
		if s, err := Open(Options{Dir: torn, Hub: "default"}); err == nil {
			t.Errorf("a file of %d of %d bytes opens", end, len(text))
			_ = s.Close()
		}
	}
}

func TestExport(t *testing.T) {
	t.Parallel()
	dir := filled(t)
	count := func(o ExportOptions) (types map[string]int, all string) {
		var to bytes.Buffer
		if err := Export(dir, &to, o); err != nil {
			t.Fatal(err)
		}
		types, all = make(map[string]int), to.String()
		for line := range strings.Lines(all) {
			var v struct{ Type string }
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				t.Errorf("%s: %v", line, err)
			}
			types[v.Type]++
		}
		return types, all
	}
	alter(t, dir, func(tx *bbolt.Tx) error {
		k := memory.MemberKey{Channel: "room0", Key: "user:ann"}
		m := &memory.SavedMember{Member: &presence.Member{Key: k.Key, Status: "busy"}}
		return errors.Join(tx.Bucket(membersBucket).Put(memberKey(k), encodeMember(m)),
			tx.Bucket(eventsBucket).Put(number(1), encodeEvent(&notify.Event{ID: "e1", Channel: "room0"})))
	})
	types, all := count(ExportOptions{})
	if types["member"] != 1 || types["event"] != 1 || !strings.Contains(all, `"member":"user:ann","status":"busy"`) {
		t.Errorf("%v", types)
	}
	if types["store"] != 1 || types["room"] != 4 || types["message"] != 301 || types["document"] != 1 || types["key"]+types["order"] != 0 {
		t.Errorf("%v", types)
	}
	if !strings.Contains(all, `"sender":"ann","tags":{"a":1},"content":"secret"`) || strings.Contains(all, "key-1") {
		t.Errorf("%s", all)
	}
	if types, all = count(ExportOptions{All: true}); types["key"] != 1 || types["order"] != 1 || !strings.Contains(all, `"body":{"user":"ann"}`) {
		t.Errorf("with all: %v", types)
	}
	if types, _ = count(ExportOptions{Channel: "keyed"}); types["room"] != 1 || types["message"] != 1 || types["document"] != 0 {
		t.Errorf("of one channel: %v", types)
	}
	s, _ := open(t, Options{Dir: dir})
	if secret := s.meta.secret; secret == "" || strings.Contains(all, secret) {
		t.Error("the export has the secret of the store")
	}
}

// An export of a damaged room leaves out this room alone.
func TestExportOfADamagedRoom(t *testing.T) {
	t.Parallel()
	dir := filled(t)
	alter(t, dir, func(tx *bbolt.Tx) error { return tx.Bucket(messagesBucket).Put(place(1, 50), []byte{0xff}) })
	var to bytes.Buffer
	var left []string
	err := Export(dir, &to, ExportOptions{Damaged: func(what string, err error) { left = append(left, fmt.Sprint(what, ": ", err)) }})
	if n := strings.Count(to.String(), `"type":"message"`); err != nil || n != 301-51 || len(left) != 1 || !strings.Contains(left[0], `rooms "room0"`) {
		t.Errorf("%d messages, left out: %q, %v", n, left, err)
	}
}

func TestCompactOffline(t *testing.T) {
	t.Parallel()
	dir := filled(t)
	s, b := open(t, Options{Dir: dir})
	for range 100 {
		publish(t, b, "large", `"`+strings.Repeat("x", 20_000)+`"`, "", hundred)
	}
	if _, err := b.Purge(t.Context(), "large", hundred); err != nil {
		t.Fatal(err)
	}
	want := contents(t, s.file)
	shut(t, s, b)
	before, after, err := Compact(dir, nil)
	if err != nil || after > before/4 {
		t.Errorf("from %d to %d bytes, %v", before, after, err)
	}
	f, err := openOffline(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	if contents(t, f) != want {
		t.Error("the compacted store has other records")
	}
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.new")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// While a store is in use, the commands say so and do not wait for long. Without a store they say that.
func TestOfflineCommandsBesideAStoreInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, Options{Dir: dir})
	_, checked := Check(dir, nil)
	_, _, compacted := Compact(dir, nil)
	for _, err := range []error{checked, compacted, Export(dir, new(bytes.Buffer), ExportOptions{})} {
		if err == nil || !strings.Contains(err.Error(), "a running Caddy has") {
			t.Errorf("%v", err)
		}
	}
	empty := t.TempDir()
	if err := os.WriteFile(filepath.Join(empty, fileName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Check(empty, nil); err == nil || !strings.Contains(err.Error(), "is empty: there is no store in it") {
		t.Errorf("%v", err)
	}
	if _, err := Check(filepath.Join(dir, "other"), nil); err == nil || !strings.Contains(err.Error(), "there is no store at") {
		t.Errorf("%v", err)
	}
}
