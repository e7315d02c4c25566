package filter

import (
	"fmt"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

func passes(t *testing.T, text string, in Scope, m *hub.Message, user string, claims map[string]string) bool {
	t.Helper()
	f, err := Compile(text, in)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var scratch any
	return f.Bind(user, claims).Passes(m, &scratch)
}

func TestPasses(t *testing.T) {
	m := &hub.Message{
		Event: "sold", Sender: "anna",
		Tags:    []byte(`{"team":"red","level":3,"vip":true,"share":0.5}`),
		Content: []byte(`{"price":12,"items":[{"id":"a"},{"id":"b"}],"text":"hello world"}`),
	}
	for text, want := range map[string]bool{
		`true`:                                 true,
		`false`:                                false,
		`tags.team == "red"`:                   true,
		`tags.team == "blue"`:                  false,
		`tags["team"] in ["red", "x"]`:         true,
		`tags.level >= 3`:                      true,
		`tags.level > 3`:                       false,
		`tags.level == 3 && tags.vip`:          true,
		`tags.vip`:                             true,
		`tags.share < 1`:                       true,
		`tags.team`:                            false, // not a boolean
		`tags.none == "red"`:                   false,
		`!(tags.none == "red")`:                false, // an error means no, whatever is made of it
		`has(tags.none)`:                       false,
		`!has(tags.none)`:                      true,
		`has(tags.none) || tags.vip`:           true,
		`event == "sold"`:                      true,
		`event.startsWith("so")`:               true,
		`sender == "anna"`:                     true,
		`content.price > 10`:                   true,
		`content.price > 10 && tags.vip`:       true,
		`content.items.exists(i, i.id == "b")`: true,
		`content.items[5].id == "b"`:           false,
		`content.text.contains("world")`:       true,
		`content.text.matches("^hello")`:       true,
		`content.nothing.at.all`:               false,
		`size(tags) == 4`:                      true,
		`tags.exists(k, k == "vip")`:           true,
	} {
		if got := passes(t, text, Client, m, "", nil); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	bare := &hub.Message{Content: []byte(`"x"`)}
	for text, want := range map[string]bool{
		`tags.team == "red"`: false, `!has(tags.team)`: true, `size(tags) == 0`: true, `event == ""`: true, `content == "x"`: true,
	} {
		if got := passes(t, text, Client, bare, "", nil); got != want {
			t.Errorf("without tags: %s: %v, want %v", text, got, want)
		}
	}
}

func TestPassesForSubscriber(t *testing.T) {
	m := &hub.Message{Sender: "anna", Tags: []byte(`{"team":"red","to":"bert"}`), Content: []byte(`1`)}
	claims := map[string]string{"team": "red", "role": "staff"}
	for text, want := range map[string]bool{
		`tags.team == claim.team`:                      true,
		`tags.team == claim["team"]`:                   true,
		`tags.to == user`:                              true,
		`sender != user`:                               true,
		`claim.none == "x"`:                            false,
		`has(claim.role) && claim.role == "staff"`:     true,
		`claim.exists(k, claim[k] == tags.team)`:       true,
		`user == "bert" && tags.team == claim["role"]`: false,
	} {
		if got := passes(t, text, Config, m, "bert", claims); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	fromApp := &hub.Message{Content: []byte(`1`)}
	for text, want := range map[string]bool{
		`sender == user`: false, `sender != user`: false, `user == ""`: false, `user == "x" || true`: true, `!has(claim.team)`: false,
	} {
		if got := passes(t, text, Config, fromApp, "", nil); got != want {
			t.Errorf("anonymous: %s: %v, want %v", text, got, want)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	nested := "tags.exists(a, tags.exists(b, tags.exists(c, a == b && b == c)))"
	for _, c := range []struct {
		text string
		in   Scope
		want string
	}{
		{"", Client, "empty"},
		{"  ", Client, "empty"},
		{strings.Repeat(" ", MaxLength) + "true", Client, "longer than 1024 bytes"},
		{"tags.team == \"\xff\"", Client, "UTF-8"},
		{`tags.team ==`, Client, "not valid: line 1, column"},
		{`"red"`, Client, "gives a value of the type string"},
		{`1 + 2`, Client, "gives a value of the type int"},
		{`user == "x"`, Client, "a client's filter can not see user"},
		{`tags.team == claim.team`, Client, "a client's filter can not see claim"},
		{`tag.team == "red"`, Client, `mentions "tag", which does not exist`},
		{`tag.team == "red"`, Config, "content, user and claim"},
		{`nothing(tags)`, Client, `mentions "nothing", which does not exist`},
		{`tags.team.nothing()`, Client, `mentions "nothing", which does not exist`},
		{`event == 3`, Client, "not valid: line 1, column"},
		{nested, Client, "too costly"},
		{`content.a.exists(x, content.b.exists(y, x == y))`, Client, "too costly"},
		{strings.Repeat("(", 200) + "true" + strings.Repeat(")", 200), Client, "not valid"},
	} {
		_, err := Compile(c.text, c.in)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.60q: %v, want one line with %q", c.text, err, c.want)
		}
	}
}

func TestEvaluationStopsAtTheBound(t *testing.T) {
	f, err := Compile(`content.exists(x, x == 1)`, Client)
	if err != nil {
		t.Fatal(err)
	}
	list := func(n int) []byte { return []byte("[" + strings.Repeat("0,", n) + "1]") }
	var scratch any
	if !f.Bind("", nil).Passes(&hub.Message{Content: list(20)}, &scratch) {
		t.Error("a short list does not pass")
	}
	scratch = nil
	if f.Bind("", nil).Passes(&hub.Message{Content: list(20000)}, &scratch) {
		t.Error("a long list passes: the evaluation has no bound")
	}
}

func TestEqualFiltersAreShared(t *testing.T) {
	compile := func(text string, in Scope) *Filter {
		f, err := Compile(text, in)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	f := compile(`tags.team == claim.team`, Config)
	a := f.Bind("anna", map[string]string{"team": "red", "role": "x"})
	b := compile(`tags.team == claim.team`, Config).Bind("bert", map[string]string{"team": "red"})
	if hub.Selector(a) != hub.Selector(b) {
		t.Error("two subscribers with the same claim are not equal")
	}
	if a == f.Bind("anna", map[string]string{"team": "blue"}) {
		t.Error("two subscribers with different claims are equal")
	}
	if u := compile(`sender != user`, Config); u.Bind("anna", nil) == u.Bind("bert", nil) {
		t.Error("two users are equal to a filter that mentions the user")
	}
	if compile(`true`, Config) == compile(`true`, Client) {
		t.Error("a filter is shared by both scopes")
	}
}

func TestCacheIsBounded(t *testing.T) {
	for i := range maxCompiled + 10 {
		if _, err := Compile(fmt.Sprintf("tags.n == %d", i), Client); err != nil {
			t.Fatal(err)
		}
	}
	if n, m := compiled.order.Len(), len(compiled.known); n != maxCompiled || m != maxCompiled {
		t.Errorf("%d and %d filters are remembered", n, m)
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{`tags.team == "red"`, `content.a.exists(x, x > 1)`, `user == claim.x`, `"`, `has(tags.a) || event in ["a"]`, `[1].map(x, x)[0] == 1`} {
		f.Add(s, []byte(`{"team":"red"}`), []byte(`{"a":[1,2]}`))
	}
	f.Fuzz(func(t *testing.T, text string, tags, content []byte) {
		for _, in := range []Scope{Client, Config} {
			c, err := compileUncached(text, in)
			if err != nil {
				continue
			}
			var scratch any
			m := &hub.Message{Tags: tags, Content: content}
			if c.Bind("u", map[string]string{"x": "1"}).Passes(m, &scratch) != c.Bind("u", map[string]string{"x": "1"}).Passes(m, &scratch) {
				t.Errorf("%q gives two answers", text)
			}
		}
	})
}

// compileUncached compiles without filling the cache.
func compileUncached(text string, in Scope) (*Filter, error) {
	if len(text) > MaxLength || strings.TrimSpace(text) == "" {
		return nil, fmt.Errorf("rejected")
	}
	return compile(text, in)
}

func BenchmarkPasses(b *testing.B) {
	for _, text := range []string{`tags.team == "red"`, `tags.team == "red" && event == "x" || tags.level > 3`, `content.price > 10`, `tags.exists(k, tags[k] == 7)`} {
		b.Run(text, func(b *testing.B) {
			f, err := Compile(text, Client)
			if err != nil {
				b.Fatal(err)
			}
			m := &hub.Message{Event: "x", Tags: []byte(`{"team":"blue","level":3}`), Content: []byte(`{"price":12}`)}
			b.ReportAllocs()
			for b.Loop() {
				var scratch any
				f.Bind("", nil).Passes(m, &scratch)
			}
		})
	}
}
