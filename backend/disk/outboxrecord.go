package disk

import (
	"encoding/binary"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// encodeSink returns how far a sink is.
func encodeSink(k *memory.SavedSink) []byte {
	closed := uint64(0)
	if k.Closed {
		closed = 1
	}
	var b []byte
	for _, n := range [...]uint64{k.Done, k.End, uint64(k.Formed.UnixNano()), uint64(k.Given), closed} {
		b = binary.AppendUvarint(b, n)
	}
	for i := range k.Held {
		b = appendText(b, string(encodeEvent(&k.Held[i])))
	}
	return b
}

func decodeSink(b []byte, k *memory.SavedSink) error {
	d := decoder{rest: b}
	k.Done, k.End, k.Formed = d.number(), d.number(), time.Unix(0, int64(d.number()))
	k.Given, k.Closed = int(d.number()), d.number() == 1
	for len(d.rest) > 0 && !d.bad {
		e, err := decodeEvent([]byte(d.text()))
		if err != nil {
			return err
		}
		k.Held = append(k.Held, e)
	}
	return d.err()
}

// channelHold and connectionHold start the keys of holdsBucket.
const (
	channelHold    = 'r'
	connectionHold = 'c'
)

func holdKey(h memory.Hold) []byte {
	if h.Channel {
		return append([]byte{channelHold}, h.Name...)
	}
	return append([]byte{connectionHold}, h.Name...)
}

// memberKey has the length of the channel first, so that the key of a member may have any bytes.
func memberKey(k memory.MemberKey) []byte { return append(appendText(nil, k.Channel), k.Key...) }

func encodeMember(m *memory.SavedMember) []byte {
	seen, expires := uint64(0), uint64(0)
	if m.Gone {
		seen, expires = uint64(m.Seen.UnixNano()), uint64(m.Expires.UnixNano())
	}
	b := appendText(appendText(nil, m.Status), m.Info)
	for _, n := range [...]uint64{uint64(m.Remember), uint64(m.Grace), seen, expires} {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

func decodeMember(key, value []byte) (k memory.MemberKey, m *memory.SavedMember, err error) {
	d := decoder{rest: key}
	k.Channel = d.text()
	k.Key = string(d.rest)
	if d.bad {
		return k, nil, errDamaged
	}
	d = decoder{rest: value}
	m = &memory.SavedMember{Member: &presence.Member{Key: k.Key, Status: d.text(), Info: d.text()}}
	m.Remember, m.Grace = time.Duration(d.number()), time.Duration(d.number())
	seen, expires := d.number(), d.number()
	if expires > 0 {
		m.Gone, m.Seen, m.Expires = true, time.Unix(0, int64(seen)), time.Unix(0, int64(expires))
	}
	return k, m, d.err()
}
