package memory

import (
	"sync"

	"github.com/caddy-realtime/caddy-realtime/document"
)

// maxPayers is how many payers a document tells apart. What another one adds in place of
// one of them is counted for nobody from then on: whoever has so many names has as many
// shares.
const maxPayers = 32

// ledger counts what the documents of a store take, in all and for each payer.
type ledger struct {
	mu sync.Mutex // a leaf
	// Guarded by mu.
	total int64
	by    map[string]int64 // by payer; without those who have nothing
}

// bill is what a document takes for each payer; "" is nobody. Owned by the document.
type bill map[string]int64

// admit books a change that makes a document so many bytes larger, unless that goes
// beyond a bound. A document that does not grow is always admitted.
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

// settle takes back all of a document.
func (l *ledger) settle(b bill) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for payer, n := range b {
		l.book(b, payer, -n)
	}
}

// refund takes back some bytes: of the payer who gave them up, and then of the others.
// Needs mu.
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

// release counts what one of the payers has of a document for nobody. Needs mu.
func (l *ledger) release(b bill) {
	for payer, n := range b {
		if payer != "" {
			l.book(b, payer, -n)
			l.book(b, "", n)
			return
		}
	}
}

// book changes what a payer has of a document. Needs mu.
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

// all is what all documents take.
func (l *ledger) all() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}
