package editor

import (
	"encoding/json"
	"fmt"

	"github.com/caddy-realtime/caddy-realtime/document"
)

func applied(t document.Tree, patch string) (document.Tree, bool) {
	p, err := document.ParsePatch([]byte(patch), document.Limits{})
	if err != nil {
		return t, false
	}
	next, _, err := document.Apply(t, p, document.Limits{})
	return next, err == nil
}

// anyPatch returns a patch that sets something to a value that no other change has.
func (e *Editor) anyPatch(view document.Tree) string {
	var doc struct{ List []any }
	_ = json.Unmarshal(view.Text(), &doc)
	value, key, n := fmt.Sprintf(`"%s-%d"`, e.name, e.local+1), e.rnd.IntN(6), len(doc.List)
	switch kind := e.rnd.IntN(8); {
	case kind == 0 || n == 0:
		return fmt.Sprintf(`{"o":{"k%d":%s},"list":%s}`, key, value, map[bool]string{true: "[0]", false: string(mustText(doc.List))}[n == 0])
	case kind == 1:
		return fmt.Sprintf(`{"o":{"k%d":null,"k%d":%s}}`, key, (key+1)%6, value)
	case kind == 2:
		return fmt.Sprintf(`[{"op":"add","path":"/list/%d","value":%s}]`, e.rnd.IntN(n+1), value)
	case kind == 3 || n > 200:
		return fmt.Sprintf(`[{"op":"remove","path":"/list/%d"}]`, e.rnd.IntN(n))
	case kind == 4:
		return fmt.Sprintf(`[{"op":"replace","path":"/list/%d","value":%s}]`, e.rnd.IntN(n), value)
	case kind < 7:
		return fmt.Sprintf(`[{"op":"add","path":"/list/-","value":%s}]`, value)
	}
	return fmt.Sprintf(`{"p":{"x%d":{"y":%s}}}`, key, value)
}

func mustText(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}
