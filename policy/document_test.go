package policy

import (
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// A document is checked by the schema and by the sanitizing of its room, and never changed.
func TestCheckDocument(t *testing.T) {
	t.Parallel()
	numbers, err := CompileSchema([]byte(`{"type":"object","additionalProperties":{"type":"number"}}`))
	if err != nil {
		t.Fatal(err)
	}
	const ok = protocol.Code("")
	for name, test := range map[string]struct {
		room  Room
		state string
		want  protocol.Code
	}{
		"no rules":                    {Room{}, `"<script>"`, ok},
		"bounds of messages":          {Room{Bounds: Bounds{Size: 3, Depth: 1, Nodes: 1}}, `[[1,2,3]]`, ok},
		"schema":                      {Room{Schema: numbers}, `{"a":1}`, ok},
		"against the schema":          {Room{Schema: numbers}, `{"a":"x"}`, protocol.SchemaViolation},
		"number too long to check":    {Room{Schema: numbers}, `{"a":1e999999}`, protocol.TooLarge},
		"nobody checks the number":    {Room{Sanitize: SanitizeText}, `{"a":1e999999}`, ok},
		"too many values":             {Room{Schema: numbers}, "[" + strings.Repeat("1,", DefaultNodes) + "1]", protocol.TooLarge},
		"text":                        {Room{Sanitize: SanitizeText}, `{"a":"plain"}`, ok},
		"text that looks like markup": {Room{Sanitize: SanitizeText}, `{"a":"<b>bold</b>"}`, protocol.SchemaViolation},
		"safe markup":                 {Room{Sanitize: SanitizeHTML}, `{"a":"<b>bold</b>"}`, ok},
		"unsafe markup":               {Room{Sanitize: SanitizeHTML}, `{"a":"<script>x</script>"}`, protocol.SchemaViolation},
		"schema before markup":        {Room{Schema: numbers, Sanitize: SanitizeText}, `{"a":"<b>"}`, protocol.SchemaViolation},
	} {
		test.room.Pattern = "a"
		if e := compile(t, test.room).Match("a").CheckDocument([]byte(test.state)); code(e) != test.want {
			t.Errorf("%s: %v, want %q", name, e, test.want)
		}
	}
}
