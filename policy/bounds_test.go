package policy

import (
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func TestBounds(t *testing.T) {
	t.Parallel()
	const ok = protocol.Code("")
	anything, err := CompileSchema([]byte(`true`))
	if err != nil {
		t.Fatal(err)
	}
	values := func(n int) string { return "[" + strings.Repeat("1,", n-2) + "1]" }
	for name, test := range map[string]struct {
		room    Room
		content string
		want    protocol.Code
	}{
		"none":                {Room{}, strings.Repeat("[", 60) + strings.Repeat("]", 60), ok},
		"size":                {Room{Bounds: Bounds{Size: 5}}, `"abc"`, ok},
		"over size":           {Room{Bounds: Bounds{Size: 5}}, `"abcd"`, protocol.TooLarge},
		"scalar has no depth": {Room{Bounds: Bounds{Depth: 1}}, `1`, ok},
		"depth":               {Room{Bounds: Bounds{Depth: 2}}, `{"a":[1],"b":{}}`, ok},
		"over depth":          {Room{Bounds: Bounds{Depth: 2}}, `{"a":[1],"b":[[]]}`, protocol.TooLarge},
		"brackets in strings": {Room{Bounds: Bounds{Depth: 1, Nodes: 2}}, `["[[[{{{\"[["]`, ok},
		"after an empty text": {Room{Bounds: Bounds{Depth: 1}}, `["",[]]`, protocol.TooLarge},
		"escapes in a row":    {Room{Bounds: Bounds{Depth: 1, Nodes: 4}}, `["\"[[","\\\"[[","\\"]`, ok},
		"behind escapes":      {Room{Bounds: Bounds{Depth: 1}}, `["\\",[]]`, protocol.TooLarge},
		"depth beside depth":  {Room{Bounds: Bounds{Depth: 2}}, `[[],[],[],[]]`, ok},
		"nodes":               {Room{Bounds: Bounds{Nodes: 5}}, `{"a":[true,null],"b":"x"}`, ok},
		"over nodes":          {Room{Bounds: Bounds{Nodes: 5}}, `{"a":[true,null],"b":"x","c":1}`, protocol.TooLarge},
		"names are no nodes":  {Room{Bounds: Bounds{Nodes: 2}}, `{"a" :1}`, ok},
		"no default":          {Room{Bounds: Bounds{Depth: 1}}, values(10_001), ok},
		"default":             {Room{Schema: anything}, values(10_000), ok},
		"over default":        {Room{Schema: anything}, values(10_001), protocol.TooLarge},
		"default of cleaning": {Room{Sanitize: SanitizeText}, values(10_001), protocol.TooLarge},
		"above the default":   {Room{Schema: anything, Bounds: Bounds{Nodes: 20_000}}, values(10_001), ok},
		"huge exponent":       {Room{Schema: anything}, `{"a":[1e401]}`, protocol.TooLarge},
		"tiny exponent":       {Room{Schema: anything}, `-1.5E-401`, protocol.TooLarge},
		"the greatest digit":  {Room{Schema: anything}, `9e401`, protocol.TooLarge},
		"the least digit":     {Room{Schema: anything}, `0e401`, protocol.TooLarge},
		"endless exponent":    {Room{Schema: anything}, `1e99999999999999999999`, protocol.TooLarge},
		"greatest float":      {Room{Schema: anything}, `[1.7976931348623157e+308,5e-324,1E400,1e-400]`, ok},
		"many digits":         {Room{Schema: anything}, strings.Repeat("1", 401), protocol.TooLarge},
		"not so many digits":  {Room{Schema: anything}, strings.Repeat("1", 400), ok},
		"nobody calculates":   {Room{Sanitize: SanitizeText}, `1e999999`, ok},
	} {
		test.room.Pattern = "a"
		got, e := compile(t, test.room).Match("a").Check([]byte(test.content))
		if code(e) != test.want {
			t.Errorf("%s: %v, want %q", name, e, test.want)
		}
		if e == nil && string(got) != test.content {
			t.Errorf("%s: %q became %q", name, test.content, got)
		}
	}
}

func TestCompileRefusesNegativeBounds(t *testing.T) {
	t.Parallel()
	for _, b := range []Bounds{{Size: -1}, {Depth: -1}, {Nodes: -1}} {
		if _, err := Compile([]Room{{Pattern: "a", Bounds: b}}); err == nil || !strings.Contains(err.Error(), "negative") {
			t.Errorf("%+v: %v", b, err)
		}
	}
}
