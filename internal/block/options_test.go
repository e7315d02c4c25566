package block

import (
	"reflect"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// noTable is a Table that can be compared.
type noTable struct{}

func (noTable) entries() map[string]entry { return nil }

// An option of a part has all properties of the option, those that are added later included.
func TestForPartKeepsEveryField(t *testing.T) {
	t.Parallel()
	type whole struct{ part string }
	option := Option[*string]{
		Syntax: "<x>", Min: 1, Max: 2, Repeat: true, Block: true, Content: true, Inside: noTable{}, NoBlock: "; x",
		Parse: func(_ *caddyfile.Dispenser, args []string, into *string) error { *into = args[0]; return nil },
	}
	got, w := ForPart(option, func(w *whole) *string { return &w.part }), new(whole)
	is, was := reflect.ValueOf(got), reflect.ValueOf(option)
	for i := range is.NumField() {
		switch name := is.Type().Field(i).Name; {
		case was.Field(i).IsZero():
			t.Errorf("the test sets no %s", name)
		case name != "Parse" && !is.Field(i).Equal(was.Field(i)):
			t.Errorf("%s is %v", name, is.Field(i))
		}
	}
	if err := got.Parse(nil, []string{"x"}, w); err != nil || w.part != "x" {
		t.Errorf("it sets %q, error %v", w.part, err)
	}
}
