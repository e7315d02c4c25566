package simulate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// envelope is what the server sends, with the fields of all types.
type envelope struct {
	Type      string
	ID        string
	Timestamp int64
	Payload   payload
}

type payload struct {
	Channel       string
	Epoch, Anchor string
	Offset        uint64
	Recovered     bool
	Messages      []payload
	Content       string
	Document      *wireDocument
	Duplicate     bool
	Code, Message string

	Users         *[]string
	Entered, Left []string
	Count         int
	Seq           uint64
	Partial       bool
	More          bool

	LocalVersion  int
	ServerVersion uint64
	ServerState   map[string]any
	Patch         json.RawMessage
}

type wireDocument struct {
	Epoch   string
	Version uint64
	State   map[string]any
}

// split returns the lines of what arrived, and the rest.
func split(buffer []byte) (lines [][]byte, rest []byte) {
	for {
		line, after, found := bytes.Cut(buffer, []byte("\n"))
		if !found {
			return lines, buffer
		}
		lines, buffer = append(lines, line), after
	}
}

// command returns a frame of a client.
func command(kind, id string, fields map[string]any) []byte {
	b, err := json.Marshal(map[string]any{"type": kind, "id": id, "payload": fields})
	if err != nil {
		panic(err)
	}
	return b
}

// text returns the content of a message: its name, and padding.
func text(name string, n int) string {
	return name + "~" + strings.Repeat("x", n)
}

// nameOf returns the name in the content of a message.
func nameOf(content string) string {
	name, _, _ := strings.Cut(content, "~")
	return name
}

// patched returns the state after a patch of the simulator's clients.
func patched(state map[string]any, patch []byte) (map[string]any, error) {
	var steps []struct {
		Op, Path string
		Value    any
	}
	if err := json.Unmarshal(patch, &steps); err != nil {
		return nil, err
	}
	next := make(map[string]any, len(state)+2)
	for k, v := range state {
		next[k] = v
	}
	for _, s := range steps {
		name := strings.TrimPrefix(s.Path, "/")
		switch s.Op {
		case "increment":
			sum, _ := next[name].(float64)
			next[name] = sum + s.Value.(float64)
		case "add", "replace":
			next[name] = s.Value
		default:
			return nil, fmt.Errorf("a patch has the operation %q", s.Op)
		}
	}
	return next, nil
}
