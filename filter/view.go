package filter

import (
	"encoding/json"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// maxTags is how many tags a message has at most, as package protocol checks.
const maxTags = 16

// view is a message as expressions see it. All filters that look at one message share it, so that
// tags and content are decoded once, and only if a filter mentions them. One goroutine uses it.
type view struct {
	message       *hub.Message
	tags, content ref.Val
}

// ResolveName implements [interpreter.Activation].
func (v *view) ResolveName(name string) (any, bool) {
	switch name {
	case "tags":
		if v.tags == nil {
			v.tags = decode(v.message.Tags, map[string]any(nil))
		}
		return v.tags, true
	case "event":
		return types.String(v.message.Event), true
	case "sender":
		return types.String(v.message.Sender), true
	case "content":
		if v.content == nil {
			v.content = decode(v.message.Content, nil)
		}
		return v.content, true
	}
	return nil, false
}

// Parent implements [interpreter.Activation].
func (*view) Parent() interpreter.Activation { return nil }

// decode decodes a JSON text, and returns otherwise if there is none.
func decode(text []byte, otherwise any) ref.Val {
	if len(text) > 0 {
		var value any
		if json.Unmarshal(text, &value) == nil {
			otherwise = value
		}
	}
	return types.DefaultTypeAdapter.NativeToValue(otherwise)
}

// subscriber is a view with what a filter looks at of the subscriber.
type subscriber struct {
	*view
	user   types.String
	claims ref.Val
}

// ResolveName implements [interpreter.Activation].
func (s *subscriber) ResolveName(name string) (any, bool) {
	switch name {
	case "user":
		return s.user, s.user != ""
	case "claim":
		return s.claims, true
	}
	return s.view.ResolveName(name)
}
