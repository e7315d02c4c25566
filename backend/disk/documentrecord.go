package disk

import (
	"encoding/binary"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
)

// documentRecord is what the file has of a document beside its log, its snapshot and its keys.
type documentRecord struct {
	id        uint64 // of the document's entries and keys
	epoch     string
	version   uint64
	base      uint64 // version of the snapshot; 0: there is none
	oldest    uint64 // version of the oldest entry that is kept
	oldestKey uint64 // version of the oldest key that is kept
	ttl       time.Duration
	used      time.Time // when the newest entry was stored
	bill      map[string]int64
}

func (r *documentRecord) encode() []byte {
	b := appendText(make([]byte, 0, 64), r.epoch)
	for _, n := range [...]uint64{r.id, r.version, r.base, r.oldest, r.oldestKey, uint64(r.ttl), uint64(r.used.UnixNano()), uint64(len(r.bill))} {
		b = binary.AppendUvarint(b, n)
	}
	for payer, bytes := range r.bill {
		b = binary.AppendUvarint(appendText(b, payer), uint64(bytes))
	}
	return b
}

func decodeDocument(b []byte) (r documentRecord, err error) {
	d := decoder{rest: b}
	r.epoch = d.text()
	r.id, r.version, r.base, r.oldest, r.oldestKey = d.number(), d.number(), d.number(), d.number(), d.number()
	r.ttl, r.used = time.Duration(d.number()), time.Unix(0, int64(d.number()))
	r.bill = make(map[string]int64)
	for n := d.number(); n > 0 && !d.bad; n-- {
		payer := d.text()
		r.bill[payer] = int64(d.number())
	}
	return r, d.err()
}

// encodeEntry returns an entry without its version, which the key says.
func encodeEntry(e *document.Entry) []byte {
	b := make([]byte, 0, 64+e.Bytes())
	b = binary.AppendUvarint(b, uint64(e.Time.UnixNano()))
	b = binary.AppendUvarint(binary.AppendUvarint(b, e.Anchor), uint64(e.Hash))
	b = appendText(appendText(appendText(b, e.Key), e.Author), string(e.Patch))
	for _, path := range e.Touched {
		b = appendText(b, path)
	}
	return b
}

// decodeEntry is the opposite. What it returns does not refer to b.
func decodeEntry(b []byte, version uint64) (e document.Entry, err error) {
	d := decoder{rest: b}
	e.Version, e.Time = version, time.Unix(0, int64(d.number()))
	e.Anchor, e.Hash = d.number(), uint32(d.number())
	e.Key, e.Author, e.Patch = d.text(), d.text(), []byte(d.text())
	for len(d.rest) > 0 && !d.bad {
		e.Touched = append(e.Touched, d.text())
	}
	return e, d.err()
}
