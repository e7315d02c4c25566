package attacks

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// attackDocuments fill the memory for documents, which is 32 MiB at the site `shelf`. One
// user, or one address of anonymous clients, may have 4 MiB of it.
func attackDocuments(w *world) []attack {
	const spared = "refused, the others and the app go on, what is deleted is free"
	return []attack{
		{"a user puts documents of 200 KiB", spared, func(t *testing.T) string {
			w.gauge.allow(bounds{cpu: 3 * time.Second})
			return hoard(t, w, "X-User: mallory", 200<<10)
		}},
		{"a user puts documents of 10 bytes", spared, func(t *testing.T) string {
			w.gauge.allow(bounds{cpu: 6 * time.Second})
			return hoard(t, w, "X-User: mallory", 10)
		}},
		{"somebody anonymous puts documents of 200 KiB", spared, func(t *testing.T) string {
			w.gauge.allow(bounds{cpu: 3 * time.Second})
			return hoard(t, w, "X-Nobody: x", 200<<10)
		}},
		{"a user changes one small document by 60 KB again and again", "no more than 1 MiB are in use", func(t *testing.T) string {
			w.gauge.allow(bounds{cpu: sized(time.Second, 3*time.Second)})
			return overwrite(t, w, sized(150, 500)) // 9 MB
		}},
		{"20 at a time put documents of 9,800 values", "200 for each", func(t *testing.T) string {
			// The parsing takes the processors, and leaves garbage; the neighbours have the usual bounds.
			w.gauge.allow(bounds{cpu: sized(2*time.Second, 4*time.Second), peak: 96 << 20, kept: 96 << 20})
			return putMany(t, w, 20, sized(4, 10))
		}},
	}
}

func putDocument(channel, header, state string) request {
	return request{http.MethodPut, "/rt/channels/" + channel + "/document", []string{jsonType, header}, state}
}

func deleteDocument(channel string) request {
	return request{http.MethodDelete, "/rt/channels/" + channel + "/document", []string{bearer(appKey)}, ""}
}

// hoard puts documents of one caller until that is refused, says what others can do then,
// and deletes them.
func hoard(t *testing.T, w *world, header string, size int) string {
	s, before := w.shelf, w.admin.inUse(t)
	if a := s.send(t, putDocument("doc:shared", "X-User: alice", `{"a":1}`)); a.status != http.StatusOK {
		t.Fatal(a, a.body)
	}
	state := `{"a":"` + strings.Repeat("x", size) + `"}`
	n, full := 0, answer{}
	for ; n < 20_000; n++ {
		if full = s.send(t, putDocument(fmt.Sprint("doc:", n), header, state)); full.status != http.StatusOK {
			break
		}
	}
	if full.status != http.StatusInsufficientStorage || full.code() != "LIMIT_EXCEEDED" || !strings.Contains(full.body, "your share") {
		return fmt.Sprintf("after %d documents: %v %s", n, full, full.body)
	}
	used := int64(w.admin.inUse(t)) - int64(before)
	for _, step := range []struct {
		who string
		request
	}{
		{"another user", putDocument("doc:other", "X-User: bob", state)},
		{"a document in use", putDocument("doc:shared", "X-User: alice", `{"a":2}`)},
		{"the app", putDocument("doc:app", bearer(appKey), state)},
		{"the app, in one's", putDocument("doc:0", bearer(appKey), `{"a":2}`)},
		{"deleting, by the app", deleteDocument("doc:app")},
	} {
		if a := s.send(t, step.request); a.status >= 300 {
			return fmt.Sprintf("%s: %v %s", step.who, a, a.body)
		}
	}
	for i := range n {
		if a := s.send(t, deleteDocument(fmt.Sprint("doc:", i))); a.status != http.StatusNoContent {
			return fmt.Sprintf("deleting: %v %s", a, a.body)
		}
	}
	for _, channel := range []string{"doc:shared", "doc:other"} {
		s.send(t, deleteDocument(channel))
	}
	if left := s.channels(t); left > 0 {
		return fmt.Sprintf("%d documents are left", left)
	}
	again := putDocument("doc:again", header, state)
	if a := s.send(t, again); a.status != http.StatusOK {
		return fmt.Sprintf("after all was deleted: %v %s", a, a.body)
	}
	s.send(t, deleteDocument("doc:again"))
	return fmt.Sprintf("refused, the others and the app go on, what is deleted is free (%d documents, %+d KiB)", n, used>>10)
}

// putMany puts documents of many values, each of some attackers several times.
func putMany(t *testing.T, w *world, attackers, times int) string {
	state := `{"a":[` + strings.Repeat("123,", 9_797) + `123]}`
	var all sync.WaitGroup
	refused := make(chan string, attackers)
	for i := range attackers {
		all.Go(func() {
			for range times {
				a, err := w.shelf.try(t, putDocument(fmt.Sprint("doc:many", i), "X-Nobody: x", state))
				if err != nil || a.status != http.StatusOK {
					refused <- fmt.Sprint(a, a.body, err)
					return
				}
			}
		})
	}
	all.Wait()
	for i := range attackers {
		w.shelf.send(t, deleteDocument(fmt.Sprint("doc:many", i)))
	}
	select {
	case what := <-refused:
		return what
	default:
		return "200 for each"
	}
}

// overwrite changes a document often, and looks at what it takes then.
func overwrite(t *testing.T, w *world, n int) string {
	state := `{"a":"` + strings.Repeat("x", 60_000) + `"}`
	header := []string{"Content-Type: application/merge-patch+json", "If-Match: *", "X-User: mallory"}
	for range n {
		a := w.shelf.send(t, request{http.MethodPatch, "/rt/channels/doc:one/document", header, state})
		if a.status != http.StatusOK {
			return fmt.Sprint(a, a.body)
		}
	}
	a := w.shelf.send(t, request{"GET", "/rt/channels", []string{bearer(appKey)}, ""})
	w.shelf.send(t, deleteDocument("doc:one"))
	var bytes int64
	_, after, _ := strings.Cut(a.body, `"bytes":`)
	if _, err := fmt.Sscan(after, &bytes); err != nil || bytes > 1<<20 {
		return a.body
	}
	return fmt.Sprintf("no more than 1 MiB are in use (%d KiB)", bytes>>10)
}
