package archtest

import (
	"slices"
	"testing"
)

var testRules = []rule{
	{pkg: "core", deny: []string{"net/http"}, why: "the core is alone"},
	{pkg: "edge/inner", ours: []string{"core"}, why: "the inner edge knows the core"},
	{pkg: "edge/...", ours: []string{"core", "edge/..."}, outside: []string{"example.org/lib"}, why: "edges may use lib"},
	{pkg: "quiet", ours: []string{"core", "edge/..."}, never: []string{"example.org/lib"}, why: "quiet does without lib"},
	{pkg: ".", ours: []string{"./..."}, why: "the root may do anything"},
}

// TestCheck shows that every kind of offence is found, and nothing else.
func TestCheck(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		pkg  pkg
		want string
	}{
		"allowed":              {pkg{ImportPath: "m/edge", Imports: []string{"m/core", "fmt", "example.org/lib/sub"}}, ""},
		"own subtree":          {pkg{ImportPath: "m/edge/a/b", Imports: []string{"m/edge"}}, ""},
		"everything":           {pkg{ImportPath: "m", Imports: []string{"m/core", "m/edge/a"}}, ""},
		"sideways":             {pkg{ImportPath: "m/core", Imports: []string{"m/edge"}}, "core imports m/edge, but the core is alone"},
		"upwards":              {pkg{ImportPath: "m/edge", Imports: []string{"m"}}, "edge imports m, but edges may use lib"},
		"special before wide":  {pkg{ImportPath: "m/edge/inner", Imports: []string{"m/edge"}}, "edge/inner imports m/edge, but the inner edge knows the core"},
		"from outside":         {pkg{ImportPath: "m/core", Imports: []string{"example.org/lib"}}, "core imports example.org/lib, but the core is alone"},
		"name that begins so":  {pkg{ImportPath: "m/edge", Imports: []string{"example.org/library"}}, "edge imports example.org/library, but edges may use lib"},
		"denied standard":      {pkg{ImportPath: "m/core", Imports: []string{"fmt", "net/http"}}, "core imports net/http, but the core is alone"},
		"by way of another":    {pkg{ImportPath: "m/quiet", Imports: []string{"m/core", "m/edge/lib"}}, "quiet depends on example.org/lib/sub, but quiet does without lib"},
		"not even by way":      {pkg{ImportPath: "m/quiet", Imports: []string{"m/core"}}, ""},
		"no rule":              {pkg{ImportPath: "m/new"}, "new has no rule; add one, with its reason"},
		"no rule, like a rule": {pkg{ImportPath: "m/core2"}, "core2 has no rule; add one, with its reason"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.pkg.Doc = "Package comment."
			g := graph{
				test.pkg.ImportPath: test.pkg,
				"fmt":               {ImportPath: "fmt", Standard: true},
				"net/http":          {ImportPath: "net/http", Standard: true},
				"example.org/lib":   {ImportPath: "example.org/lib"},
				"m/edge/lib":        {ImportPath: "m/edge/lib", Doc: "Package comment.", Imports: []string{"fmt", "example.org/lib/sub"}},
			}
			var want []string
			if test.want != "" {
				want = []string{test.want}
			}
			if got := g.check("m", testRules); !slices.Equal(got, want) {
				t.Errorf("found %q, not %q", got, want)
			}
		})
	}
}

func TestCheckWantsPackageComments(t *testing.T) {
	t.Parallel()
	g := graph{"m/core": {ImportPath: "m/core"}}
	if got := g.check("m", testRules); !slices.Equal(got, []string{"core has no package comment"}) {
		t.Errorf("found %q", got)
	}
}
