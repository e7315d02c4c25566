package disk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
)

// maxProblems is how many problems a report has. Others are counted.
const maxProblems = 100

// Report is what a check of a store has found.
type Report struct {
	File     string
	Hub      string
	Bytes    int64 // of the file
	Free     int64 // of them not in use
	Records  map[string]int
	Problems []string
	More     int // problems that are not in Problems
}

// Check reads each page and each record of a store that no process has open. An error says that the
// store can not be opened at all.
func Check(dir string, progress Progress) (*Report, error) {
	f, err := openOffline(dir, true)
	if err != nil {
		return nil, err
	}
	c := &checking{file: f, progress: progress, report: &Report{File: f.path, Records: make(map[string]int)}, rooms: make(map[uint64]*checkedRoom), documents: make(map[uint64]*checkedDocument)}
	c.report.Bytes, _ = f.sizes()
	for _, step := range []func(*bbolt.Tx) error{c.pages, c.meta, c.tables, c.inUse} {
		if err := f.view(step); err != nil {
			c.problem("%v", err)
		}
	}
	c.ends()
	return c.report, f.close()
}

// checking is one check.
type checking struct {
	file      *file
	progress  Progress
	report    *Report
	done      int64
	torn      bool // a page is not what it should be
	rooms     map[uint64]*checkedRoom
	documents map[uint64]*checkedDocument
}

type checkedRoom struct {
	channel string
	roomRecord
	next  uint64 // offset of the message that has to come
	wrong bool   // it was reported
}

type checkedDocument struct {
	channel string
	documentRecord
	nextEntry, nextKey uint64
	snapshot           bool
}

func (c *checking) problem(format string, args ...any) {
	if len(c.report.Problems) == maxProblems {
		c.report.More++
		return
	}
	c.report.Problems = append(c.report.Problems, fmt.Sprintf(format, args...))
}

// pages looks at the head of each page. A page with a torn head would lead the later steps astray.
func (c *checking) pages(tx *bbolt.Tx) error {
	count := int(tx.Size() / int64(tx.DB().Info().PageSize))
	for id := 2; id < count; id++ {
		p, err := tx.Page(id)
		switch {
		case err != nil || p == nil:
			return fmt.Errorf("page %d of %d can not be read", id, count)
		case p.Type == "free":
			c.report.Free += int64(tx.DB().Info().PageSize)
			continue
		case p.ID != id || p.Type != "leaf" && p.Type != "branch" && p.Type != "freelist" || p.OverflowCount >= count-id:
			c.torn = true
			return fmt.Errorf("page %d of %d is torn", id, count)
		}
		id += p.OverflowCount
	}
	return nil
}

func (c *checking) meta(tx *bbolt.Tx) error {
	b := tx.Bucket(metaBucket)
	if b == nil {
		return errors.New("the table meta is missing: the file is not a store")
	}
	c.report.Hub = string(b.Get(metaHub))
	if is := binary.BigEndian.Uint64(padded(b.Get(metaFormat))); is != format {
		return fmt.Errorf("it has format %d and this version reads format %d; use the version that wrote it", is, format)
	}
	if len(b.Get(metaSecret)) == 0 {
		c.problem("the table meta: the secret of the store is missing")
	}
	return nil
}

// checks say what each record of a table is checked for. Records of rooms and documents come before what
// belongs to them.
var checks = []struct {
	table  []byte
	record func(c *checking, key, value []byte) error
}{
	{metaBucket, func(*checking, []byte, []byte) error { return nil }},
	{roomsBucket, (*checking).room},
	{messagesBucket, (*checking).message},
	{keysBucket, func(_ *checking, _, value []byte) error { _, err := decodeKey(value); return err }},
	{ordersBucket, func(_ *checking, _, value []byte) error { _, err := decodeOrder(value); return err }},
	{documentsBucket, (*checking).document},
	{documentLogBucket, (*checking).entry},
	{documentKeysBucket, (*checking).documentKey},
	{eventsBucket, func(_ *checking, _, value []byte) error { _, err := decodeEvent(value); return err }},
	{sinksBucket, func(_ *checking, _, value []byte) error { return decodeSink(value, new(memory.SavedSink)) }},
	{holdsBucket, func(*checking, []byte, []byte) error { return nil }},
	{membersBucket, func(_ *checking, key, value []byte) error { _, _, err := decodeMember(key, value); return err }},
}

// tables reads the records of all tables.
func (c *checking) tables(*bbolt.Tx) error {
	for _, k := range checks {
		if err := c.file.view(func(tx *bbolt.Tx) error { return c.table(tx, k.table, k.record) }); err != nil {
			c.problem("the table %s: %v", k.table, err)
		}
	}
	return nil
}

func (c *checking) table(tx *bbolt.Tx, name []byte, check func(*checking, []byte, []byte) error) error {
	b := tx.Bucket(name)
	if b == nil {
		return nil // of an older version, which has not known the table
	}
	var before []byte
	return b.ForEach(func(key, value []byte) error {
		if bytes.Compare(key, before) <= 0 {
			return fmt.Errorf("the record %x is not in its place", key)
		}
		before = key
		c.report.Records[string(name)]++
		if err := check(c, key, value); err != nil {
			c.problem("the table %s: record %q: %v", name, key, err)
		}
		if c.done += int64(len(key) + len(value)); c.report.Records[string(name)]%1000 == 0 {
			c.progress.show(c.done, c.report.Bytes-c.report.Free)
		}
		return nil
	})
}

func (c *checking) room(channel, value []byte) error {
	r, err := decodeRoom(value)
	if err != nil {
		return err
	}
	if other := c.rooms[r.id]; other != nil {
		return fmt.Errorf("the room has the number %d, which is also that of room %q", r.id, other.channel)
	}
	c.rooms[r.id] = &checkedRoom{channel: string(channel), roomRecord: r, next: r.first}
	if r.first == 0 || r.first > r.top+1 {
		return fmt.Errorf("its first message is %d, and its newest one %d", r.first, r.top)
	}
	return nil
}

func (c *checking) message(key, value []byte) error {
	if len(key) != 16 {
		return errDamaged
	}
	id, offset := binary.BigEndian.Uint64(key), binary.BigEndian.Uint64(key[8:])
	r := c.rooms[id]
	if r == nil {
		return errors.New("the message is of no room")
	}
	m, _, err := decodeMessage(value, r.channel, r.epoch, offset)
	switch {
	case err != nil:
		r.next = offset + 1
		return fmt.Errorf("message %d of room %q: %w", offset, r.channel, err)
	case m.Hash() != m.Position.Anchor && !m.IsRedacted():
		r.next = offset + 1
		return fmt.Errorf("message %d of room %q is not what was stored: its content, sender or time has changed", offset, r.channel)
	case offset != r.next && !r.wrong:
		r.wrong = true
		return fmt.Errorf("room %q goes on with message %d where message %d should be", r.channel, offset, r.next)
	case offset == r.top && m.Position.Anchor != r.anchor:
		r.next = offset + 1
		return fmt.Errorf("the newest message of room %q is not the one that the room has noted", r.channel)
	}
	r.next = offset + 1
	return nil
}

func (c *checking) document(channel, value []byte) error {
	d, err := decodeDocument(value)
	if err != nil {
		return err
	}
	if other := c.documents[d.id]; other != nil {
		return fmt.Errorf("the document has the number %d, which is also that of document %q", d.id, other.channel)
	}
	c.documents[d.id] = &checkedDocument{channel: string(channel), documentRecord: d, nextEntry: d.oldest, nextKey: d.oldestKey}
	return nil
}

func (c *checking) entry(key, value []byte) error {
	d, version, err := c.ofDocument(key)
	switch {
	case err != nil:
		return err
	case version == 0:
		d.snapshot = true
		return nil
	case version != d.nextEntry:
		err = fmt.Errorf("document %q goes on with change %d where change %d should be", d.channel, version, d.nextEntry)
	}
	d.nextEntry = version + 1
	if err == nil {
		_, err = decodeEntry(value, version)
	}
	return err
}

func (c *checking) documentKey(key, _ []byte) error {
	d, version, err := c.ofDocument(key)
	if err == nil && version != d.nextKey {
		err = fmt.Errorf("document %q goes on with the key of change %d where that of change %d should be", d.channel, version, d.nextKey)
	}
	if d != nil {
		d.nextKey = version + 1
	}
	return err
}

// ofDocument returns the document and the version that a key of a log names.
func (c *checking) ofDocument(key []byte) (*checkedDocument, uint64, error) {
	if len(key) != 16 {
		return nil, 0, errDamaged
	}
	d := c.documents[binary.BigEndian.Uint64(key)]
	if d == nil {
		return nil, 0, errors.New("it is of no document")
	}
	return d, binary.BigEndian.Uint64(key[8:]), nil
}

// inUse compares the pages in use with the list of those that are free.
func (c *checking) inUse(tx *bbolt.Tx) error {
	if c.torn {
		return nil
	}
	for err := range tx.Check() {
		c.problem("%v", err)
	}
	return nil
}

// ends looks for rooms and documents that end too early.
func (c *checking) ends() {
	for _, r := range c.rooms {
		if r.next != r.top+1 && !r.wrong {
			c.problem("room %q ends with message %d, and has noted %d", r.channel, r.next-1, r.top)
		}
	}
	for _, d := range c.documents {
		if d.nextEntry != d.version+1 || d.nextKey != d.version+1 || d.base > 0 && !d.snapshot {
			c.problem("document %q lacks a part of its changes up to version %d", d.channel, d.version)
		}
	}
}
