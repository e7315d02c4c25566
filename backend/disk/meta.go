package disk

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strings"

	"go.etcd.io/bbolt"
)

// format is the version of what the file has in it.
const format = 1

// The buckets of the file.
var (
	metaBucket     = []byte("meta")     // what belongs to the whole store
	roomsBucket    = []byte("rooms")    // by channel: a roomRecord
	messagesBucket = []byte("messages") // by the id of the room and the offset: a message
	keysBucket     = []byte("keys")     // by time: an idempotency key with its result
	ordersBucket   = []byte("orders")   // by name: a standing order, such as a revocation

	documentsBucket    = []byte("documents")    // by channel: a documentRecord
	documentLogBucket  = []byte("documentlog")  // by the id of the document and the version: an entry; at version 0: the snapshot
	documentKeysBucket = []byte("documentkeys") // by the id of the document and the version: the key of the change, as it is

	// Of the outbox of notify and of the members of rooms:
	eventsBucket  = []byte("events")  // by number, in 8 bytes: a savedEvent in JSON
	sinksBucket   = []byte("sinks")   // by name: how far a sink is, see encodeSink
	holdsBucket   = []byte("holds")   // by 'c' and the connection, or 'r' and the channel, that the app thinks is there: the user of the connection
	membersBucket = []byte("members") // by channel, with its length, and key: a member, see encodeMember
)

// buckets are all buckets of the file.
var buckets = [][]byte{
	metaBucket, roomsBucket, messagesBucket, keysBucket, ordersBucket, documentsBucket, documentLogBucket, documentKeysBucket,
	eventsBucket, sinksBucket, holdsBucket, membersBucket,
}

// The keys of metaBucket.
var (
	metaFormat    = []byte("format")
	metaHub       = []byte("hub")
	metaSecret    = []byte("secret")
	metaDocuments = []byte("documents") // the epoch of documents that nobody has changed
	metaOutbox    = []byte("outbox")    // the name of the outbox, which is in the ids of its events
	metaLost      = []byte("lost")      // events that were dropped and not reported
)

// metaGeneration begins the keys of generations, see generationKey.
var metaGeneration = []byte("generation ")

// meta is what belongs to a whole store.
type meta struct {
	secret    string
	documents string // epoch of documents that nobody has changed; empty: none yet
	outbox    string // name of the outbox
}

// prepare makes the buckets of a new file, and checks those of an old one.
func prepare(tx *bbolt.Tx, hub string) (m meta, err error) {
	b := tx.Bucket(metaBucket)
	if b == nil {
		return create(tx, hub)
	}
	if is := binary.BigEndian.Uint64(padded(b.Get(metaFormat))); is != format {
		return m, fmt.Errorf("it has format %d and this version reads format %d; use the version that wrote it, or move the file away", is, format)
	}
	if is := string(b.Get(metaHub)); is != hub {
		return m, fmt.Errorf("it belongs to the hub '%s', not to '%s'; give each hub a folder of its own", is, hub)
	}
	if err := addBuckets(tx); err != nil {
		return m, err
	}
	if m.outbox = string(b.Get(metaOutbox)); m.outbox == "" {
		m.outbox = strings.ToLower(rand.Text()[:8])
		if err := b.Put(metaOutbox, []byte(m.outbox)); err != nil {
			return m, err
		}
	}
	m.documents = string(b.Get(metaDocuments))
	m.secret = string(b.Get(metaSecret))
	return m, nil
}

func create(tx *bbolt.Tx, hub string) (m meta, err error) {
	if err := addBuckets(tx); err != nil {
		return m, err
	}
	m.secret, m.outbox = rand.Text(), strings.ToLower(rand.Text()[:8])
	b := tx.Bucket(metaBucket)
	for _, p := range [][2][]byte{
		{metaFormat, number(format)}, {metaHub, []byte(hub)}, {metaSecret, []byte(m.secret)},
		{metaOutbox, []byte(m.outbox)},
	} {
		if err := b.Put(p[0], p[1]); err != nil {
			return m, err
		}
	}
	return m, nil
}

// addBuckets makes the buckets that the file does not have.
func addBuckets(tx *bbolt.Tx) error {
	for _, name := range buckets {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return nil
}

// number returns a number as eight bytes that sort as the number does.
func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// padded returns a number that is not there as 0.
func padded(b []byte) []byte {
	if len(b) != 8 {
		return make([]byte, 8)
	}
	return b
}
