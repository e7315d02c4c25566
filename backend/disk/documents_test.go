package disk

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/document"
)

func (deaf) Changed(string, string, ...document.Entry) {}
func (deaf) Missed(string)                             {}

func openDocuments(t *testing.T, o Options) (*Store, *memory.DocumentStore) {
	t.Helper()
	s, b := open(t, o)
	d, err := s.Documents(deaf{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, s, b) })
	return s, d
}

// commitTo commits the next version of a document.
func commitTo(t *testing.T, d *memory.DocumentStore, channel string, c document.Commit) (document.Committed, error) {
	t.Helper()
	r, err := d.Load(t.Context(), channel, document.Known{})
	if err != nil {
		t.Fatal(err)
	}
	c.Epoch, c.Entry.Version = r.Epoch, r.Version+1
	if n := len(r.Entries); n > 0 {
		c.Entry.Version = r.Entries[n-1].Version + 1
	}
	c.Entry.Time, c.Entry.Patch = time.Now(), []byte(`{"a":1}`)
	if c.Entry.Key == "" {
		c.Entry.Key = fmt.Sprint("k", c.Entry.Version)
	}
	return d.Commit(t.Context(), channel, c)
}

// Documents continue after a restart with the same log, keys, epoch and shares.
func TestDocumentsRestart(t *testing.T) {
	t.Parallel()
	o := Options{Dir: t.TempDir()}
	s, d := openDocuments(t, o)
	for v := range 20 {
		c := document.Commit{Keep: 3, Budget: document.Budget{Payer: "ann", Share: 100_000}}
		c.Entry.Author, c.Entry.Touched, c.Entry.Anchor, c.Entry.Hash = "ann", []string{"/a", "/b"}, uint64(v+1)<<40, uint32(v)
		if v == 10 {
			c.Snapshot = []byte(`{"a":1}`)
		}
		if _, err := commitTo(t, d, "d", c); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = commitTo(t, d, "gone", document.Commit{})
	if done, err := d.Forget(t.Context(), "gone", document.Known{}); !done || err != nil {
		t.Errorf("forget: %v, %v", done, err)
	}
	want, _ := d.Load(t.Context(), "d", document.Known{})
	list, _, _ := d.List(t.Context(), "", "", 10)
	blank, _ := d.Load(t.Context(), "gone", document.Known{})
	shut(t, s, s.broker.Load())

	s, d = openDocuments(t, o)
	got, _ := d.Load(t.Context(), "d", document.Known{})
	for i := range got.Entries { // the clock of the process is not kept
		got.Entries[i].Time, want.Entries[i].Time = got.Entries[i].Time.UTC(), want.Entries[i].Time.UTC().Round(0)
	}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("after the restart\n%+v, before\n%+v", got, want)
	}
	if again, _, _ := d.List(t.Context(), "", "", 10); len(again) != 1 || again[0] != list[0] {
		t.Errorf("the list has moved from %+v to %+v", list, again)
	}
	if r, _ := d.Load(t.Context(), "gone", document.Known{}); r.Version != 0 || r.Epoch != blank.Epoch {
		t.Errorf("a forgotten document: %+v, before %+v", r, blank)
	}
	c := document.Commit{Budget: document.Budget{Payer: "ann", Share: list[0].Bytes - 100}}
	if _, err := commitTo(t, d, "d", c); !errors.Is(err, document.ErrShare) {
		t.Errorf("a change beyond the share: %v", err)
	}
	c.Share = 0
	c.Entry.Key = "k1"
	if done, err := commitTo(t, d, "d", c); !done.Duplicate || done.Version != 1 || err != nil {
		t.Errorf("a repeat: %+v, %v", done, err)
	}
	if n := count(t, s, documentsBucket); n != 1 {
		t.Errorf("%d documents in the file", n)
	}
}

// A document that expired or was deleted leaves nothing in the file but the epoch.
func TestDocumentsLeaveTheFile(t *testing.T) {
	t.Parallel()
	s, d := openDocuments(t, Options{Dir: t.TempDir()})
	for i := range 3 {
		c := document.Commit{Snapshot: []byte(`{}`), TTL: time.Millisecond}
		if _, err := commitTo(t, d, fmt.Sprint(i), c); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(2 * time.Millisecond)
	if page, _, _ := d.List(t.Context(), "", "", 10); len(page) > 0 {
		t.Errorf("there still are %v", page)
	}
	for end := time.Now().Add(10 * time.Second); count(t, s, documentsBucket) > 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	for _, bucket := range [][]byte{documentsBucket, documentLogBucket, documentKeysBucket} {
		if n := count(t, s, bucket); n > 0 {
			t.Errorf("%d values in %s", n, bucket)
		}
	}
}

// A change that can not be stored is rejected, and costs its payer nothing.
func TestDocumentsDiskFull(t *testing.T) {
	t.Parallel()
	s, d := openDocuments(t, Options{Dir: t.TempDir(), maxBytes: 1 << 20})
	large := []byte(`"` + strings.Repeat("x", 50_000) + `"`)
	n, err := 0, error(nil)
	for ; err == nil && n < 100; n++ {
		_, err = commitTo(t, d, fmt.Sprint(n), document.Commit{Snapshot: large, Budget: document.Budget{Payer: "ann"}})
	}
	if !errors.Is(err, document.ErrUnavailable) {
		t.Fatalf("committing to a full disk: %v", err)
	}
	page, _, _ := d.List(t.Context(), "", "", 100)
	if len(page) != n-1 {
		t.Errorf("%d documents of %d", len(page), n-1)
	}
	s.file.mu.Lock()
	s.file.o.maxBytes = 0
	s.file.mu.Unlock()
	_, _ = s.file.reopen()
	share := page[0].Bytes*int64(n) + 2000
	if _, err := commitTo(t, d, "last", document.Commit{Snapshot: large, Budget: document.Budget{Payer: "ann", Share: share}}); err != nil {
		t.Errorf("the next change: %v", err)
	}
}

func count(t *testing.T, s *Store, bucket []byte) (n int) {
	t.Helper()
	err := s.file.view(func(tx *bbolt.Tx) error {
		n = tx.Bucket(bucket).Stats().KeyN
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// An expired document whose removal has failed, such as on a full disk, is removed with a later sweep.
func TestFailedExpiryIsTriedAgain(t *testing.T) {
	t.Parallel()
	s, d := openDocuments(t, Options{Dir: t.TempDir(), sweep: 5 * time.Millisecond})
	if _, err := commitTo(t, d, "d", document.Commit{}); err != nil {
		t.Fatal(err)
	}
	r, err := d.Load(t.Context(), "d", document.Known{})
	if err != nil {
		t.Fatal(err)
	}
	(&expiring{store: s, channel: "d", epoch: r.Epoch}).finish(unavailable(errors.New("the disk is full")))
	for end := time.Now().Add(10 * time.Second); count(t, s, documentsBucket) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the document stays in the file")
		}
	}
}
