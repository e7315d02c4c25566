package drills

import (
	"cmp"
	"errors"
	"fmt"
)

// byWS publishes over a WebSocket, a new one after each failure.
type byWS struct {
	// Static.
	base     string
	away     bool // Redis may be: what is refused as unavailable is no refusal
	keyless  bool // publish without keys, which only a store can remember
	twice    bool // send everything a second time, which must change nothing
	cutEvery int  // so many messages it drops the connection before the answer; 0: never

	conn *wsClient
	sent int
}

func (w *byWS) publish(m post) ([]outcome, error) {
	if err := w.connect(); err != nil {
		return nil, err
	}
	if w.sent++; w.cutEvery > 0 && w.sent%w.cutEvery == 0 {
		err := w.conn.send("message", "", w.command(m.channels[0], m))
		w.close()
		return nil, cmp.Or(err, errCut)
	}
	var list []outcome
	for _, channel := range m.channels {
		o, err := w.send(channel, m)
		if err != nil {
			return nil, err
		}
		if w.twice {
			if err := w.repeat(channel, m, o); err != nil {
				return nil, err
			}
		}
		list = append(list, o)
	}
	return list, nil
}

var (
	errCut  = errors.New("the answer was not waited for")
	errAway = errors.New("Redis is away")
)

// longKey begins keys. Those of anonymous clients hold over another connection only if
// they have 16 bytes.
const longKey = "published in a drill: "

func (w *byWS) command(channel string, m post) map[string]any {
	command := map[string]any{"channel": channel, "content": content(m.id, m.size)}
	if !w.keyless {
		command["key"] = longKey + m.id
	}
	return command
}

func (w *byWS) connect() (err error) {
	if w.conn == nil {
		w.conn, err = openWS(dialer(), w.base, nil)
	}
	return err
}

func (w *byWS) send(channel string, m post) (o outcome, err error) {
	ev, err := w.conn.call("message", w.command(channel, m))
	switch {
	case err != nil:
		w.close()
	case w.away && ev.code() == "UNAVAILABLE":
		return o, errAway
	case ev.Type != "ack":
		return o, refusal{ev.String()}
	}
	return outcome{ev.Payload.Epoch, ev.Payload.Offset, ev.Payload.Duplicate}, err
}

// repeat sends a message again, which must be recognized.
func (w *byWS) repeat(channel string, m post, first outcome) error {
	again, err := w.send(channel, m)
	if err != nil {
		return err
	}
	if !again.Duplicate || again.Epoch != first.Epoch || again.Offset != first.Offset {
		return refusal{fmt.Sprintf("%s was acknowledged as %+v, and then as %+v", m.id, first, again)}
	}
	return nil
}

func (w *byWS) close() {
	if w.conn != nil {
		w.conn.close()
		w.conn = nil
	}
}
