package redis

import (
	"context"
	"encoding/binary"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// A message to one member comes through the Pub/Sub channel of its room as: "d::", then
// "e", node and serial number as in rooms without history, then length and text of the
// user and the connection of its address and of the sender's, then the message.
//
// A node that does not know of such messages would show it to the whole room if it took
// it for one of the others. It takes what does not begin with "e" for a message with a
// position, and expects the offset between the colons, where there is none.
const directMark = "d::"

func appendDirect(dst []byte, m *hub.Message, id serial) []byte {
	to, from := m.Direct.To, m.Direct.From
	dst = appendSerial(append(dst, directMark...), id)
	for _, text := range [...]string{to.User, to.Connection, from.User, from.Connection} {
		dst = binary.AppendUvarint(dst, uint64(len(text)))
		dst = append(dst, text...)
	}
	return appendMessage(dst, m)
}

// parseDirect is the reverse.
func parseDirect(channel, s string) (*hub.Message, serial, error) {
	id, rest, ok := cutSerial(strings.TrimPrefix(s, directMark))
	if !ok {
		return nil, serial{}, errFrame
	}
	var d hub.Direct
	b := []byte(rest)
	for _, text := range []*string{&d.To.User, &d.To.Connection, &d.From.User, &d.From.Connection} {
		if *text, b, ok = cutText(b); !ok {
			return nil, serial{}, errFrame
		}
	}
	m, err := parseMessage(channel, string(b))
	if err != nil {
		return nil, serial{}, err
	}
	m.Position, m.Direct = hub.Position{}, &d
	return m, id, nil
}

// publishDirect sends a message to one member. It leaves the room's log alone.
func (b *Broker) publishDirect(ctx context.Context, m *hub.Message, key string) (hub.Published, error) {
	if first, said := b.alone.said(m.Channel, key); said {
		return duplicate(m, first)
	}
	return b.relay(ctx, m, key)
}
