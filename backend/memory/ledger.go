package memory

import (
	"sync"

	"github.com/caddy-realtime/caddy-realtime/document"
)

// maxPayers is the greatest number of payers of one document. If another payer comes, the
// bytes of one of them count for nobody from then on. A client with that many names has as
// many shares anyway.
const maxPayers = 32

// ledger counts the bytes of all documents of a store, in total and for each payer.
type ledger struct {
	mu sync.Mutex // a leaf
	// Guarded by mu.
	total int64
	by    map[string]int64 // by payer; without payers that have none
}

// bill is the number of bytes of a document by payer. The payer "" is nobody. The document
// owns it.
type bill map[string]int64

// admit counts a change that makes a document larger by some bytes, or returns an error if
// that exceeds a bound. It always admits a change that does not make the document larger.
func (l *ledger) admit(b *bill, bytes int64, within document.Budget) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case bytes <= 0:
		l.refund(*b, within.Payer, -bytes)
		return nil
	case within.Payer != "" && within.Share > 0 && l.by[within.Payer]+bytes > within.Share:
		return document.ErrShare
	case within.Memory > 0 && l.total+bytes > within.Memory:
		return document.ErrFull
	}
	if *b == nil {
		*b = make(bill)
	}
	if _, known := (*b)[within.Payer]; !known && len(*b) > maxPayers {
		l.release(*b)
	}
	l.book(*b, within.Payer, bytes)
	return nil
}

// undo takes back a change that was admitted: the bill is as before.
func (l *ledger) undo(b *bill, before bill) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for payer, n := range *b {
		l.book(*b, payer, -n)
	}
	*b = make(bill)
	for payer, n := range before {
		l.book(*b, payer, n)
	}
}

// restore counts a document that was kept with a bill. Bytes that the bill does not have count
// for nobody.
func (l *ledger) restore(kept map[string]int64, bytes int64) bill {
	b := make(bill)
	l.mu.Lock()
	defer l.mu.Unlock()
	for payer, n := range kept {
		l.book(b, payer, n)
		bytes -= n
	}
	if bytes < 0 {
		l.refund(b, "", -bytes)
	} else {
		l.book(b, "", bytes)
	}
	return b
}

// settle takes all bytes of a document back.
func (l *ledger) settle(b bill) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for payer, n := range b {
		l.book(b, payer, -n)
	}
}

// refund takes bytes back: first those of the payer that gave them up, then those of
// others. The caller holds mu.
func (l *ledger) refund(b bill, first string, bytes int64) {
	n := min(bytes, b[first])
	l.book(b, first, -n)
	bytes -= n
	for payer, has := range b {
		if bytes == 0 {
			return
		}
		n := min(bytes, has)
		l.book(b, payer, -n)
		bytes -= n
	}
}

// release counts the bytes of one of a document's payers for nobody. The caller holds mu.
func (l *ledger) release(b bill) {
	for payer, n := range b {
		if payer != "" {
			l.book(b, payer, -n)
			l.book(b, "", n)
			return
		}
	}
}

// book changes the bytes of a payer in a document. The caller holds mu.
func (l *ledger) book(b bill, payer string, bytes int64) {
	if bytes == 0 {
		return
	}
	l.total += bytes
	if b[payer] += bytes; b[payer] == 0 {
		delete(b, payer)
	}
	if payer == "" {
		return
	}
	if l.by[payer] += bytes; l.by[payer] == 0 {
		delete(l.by, payer)
	}
}

// all returns the bytes of all documents.
func (l *ledger) all() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}
