package filter

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Bound is a filter for one subscriber: the filter, and what it looks at of the subscriber. It is
// a [hub.Selector]. Two of them are equal if the filter and these values are.
type Bound struct {
	filter *Filter
	values string // user and claims that the filter mentions, see Bind
}

var _ hub.Selector = Bound{}

// Bind binds the filter to a subscriber. user is empty for an anonymous one.
func (f *Filter) Bind(user string, claims map[string]string) Bound {
	b := Bound{filter: f}
	if !f.Personal() {
		return b
	}
	var to []byte
	if f.user && user != "" {
		to = appendValue(append(to, 'u'), user)
	}
	names := f.claims
	if f.all {
		names = slices.Sorted(maps.Keys(claims))
	}
	for _, name := range names {
		if value, has := claims[name]; has {
			to = appendValue(appendValue(append(to, 'c'), name), value)
		}
	}
	b.values = string(to)
	return b
}

func appendValue(dst []byte, s string) []byte {
	dst = strconv.AppendInt(dst, int64(len(s)), 10)
	return append(append(dst, ':'), s...)
}

func cutValue(s string) (value, rest string) {
	length, rest, _ := strings.Cut(s, ":")
	n, _ := strconv.Atoi(length)
	return rest[:n], rest[n:]
}

// Passes implements [hub.Selector].
func (b Bound) Passes(m *hub.Message, scratch *any) (passes bool) {
	// A defect of the library costs the message for this filter, and nothing else.
	defer func() {
		if recover() != nil {
			passes = false
		}
	}()
	v, ok := (*scratch).(*view)
	if !ok {
		v = &view{message: m}
		*scratch = v
	}
	var in interpreter.Activation = v
	if b.values != "" {
		in = b.subscriber(v)
	}
	out, _, err := b.filter.program.Eval(in)
	return err == nil && out == types.True
}

// subscriber adds to a message what the filter looks at of the subscriber. An anonymous subscriber
// has no user: an expression that mentions it fails, and an expression such as user == sender
// is not true for the messages of the app.
func (b Bound) subscriber(v *view) *subscriber {
	s := &subscriber{view: v}
	claims := make(map[string]string)
	for rest := b.values; rest != ""; {
		kind := rest[0]
		var text string
		if text, rest = cutValue(rest[1:]); kind == 'u' {
			s.user = types.String(text)
			continue
		}
		claims[text], rest = cutValue(rest)
	}
	s.claims = types.DefaultTypeAdapter.NativeToValue(claims)
	return s
}
