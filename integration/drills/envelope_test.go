package drills

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

// envelope is what the server says, over either transport.
type envelope struct {
	Type    string
	ID      string
	Payload payload
}

// payload has the fields of all payloads that are looked at here.
type payload struct {
	delivered
	Connection string
	Heartbeat  int64
	Channel    string
	Epoch      string
	Recovered  bool
	Duplicate  bool
	Messages   []delivered
	Code       any // a word in errors, a number in the event `close`
	Message    string
	After      int64
	Reason     string
	Reconnect  bool

	ServerVersion uint64
	Document      struct {
		Epoch   string
		Version uint64
	}
}

// delivered is a message, alone or in a replay.
type delivered struct {
	Offset  uint64
	Anchor  string
	Content json.RawMessage
}

// decode reads an envelope. Long stuffing costs more than all the rest, and is cut
// off before: the content comes last.
func decode(data []byte) (ev envelope, err error) {
	if i := bytes.Index(data, []byte(stuffing)); i >= 0 && bytes.HasSuffix(data, []byte(`"}}`)) && bytes.Count(data[:i], []byte(`"content"`)) == 1 {
		data = append(data[:i], `"}}`...)
	}
	if err = json.Unmarshal(data, &ev); err != nil {
		err = fmt.Errorf("the server sent %q: %w", data, err)
	}
	return ev, err
}

// String is for failures.
func (e envelope) String() string {
	text, _ := json.Marshal(e)
	return string(text)
}

// code is the code of an error; empty for none.
func (e envelope) code() string {
	code, _ := e.Payload.Code.(string)
	return code
}

// at is the position that an envelope names.
func (e envelope) at() checker.Position {
	return checker.Position{Epoch: e.Payload.Epoch, Offset: e.Payload.Offset}
}

// stuffing begins what makes a content long.
const stuffing = " xxxxxxxx"

// content is what messages of the drills say: a name by which the checker knows
// them, and stuffing.
func content(id string, size int) string {
	if size <= len(id)+len(stuffing) {
		return id
	}
	return id + stuffing + strings.Repeat("x", size-len(id)-len(stuffing))
}

// id is the name in a content.
func (d delivered) id() string {
	text := strings.Trim(string(d.Content), `"`)
	id, _, _ := strings.Cut(text, " ")
	return id
}
