package realtime

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// FuzzDirective feeds the parser with anything in the place of the directive's
// block. What it accepts has to survive the way through JSON, and to be a
// configuration that loads.
func FuzzDirective(f *testing.F) {
	for _, file := range goldens(f) {
		text, _, _ := strings.Cut(file, "----------")
		if _, block, ok := strings.Cut(text, "realtime"); ok {
			f.Add("realtime " + strings.TrimSuffix(strings.TrimSpace(block), "}"))
		}
	}
	f.Add("realtime {\nroom {user} {\n}\n} x")
	f.Fuzz(func(t *testing.T, text string) {
		tokens, err := caddyfile.Tokenize([]byte(text), "Caddyfile")
		if err != nil || len(tokens) == 0 {
			return
		}
		var h Handler
		if h.UnmarshalCaddyfile(caddyfile.NewDispenser(tokens)) != nil {
			return
		}
		var again Handler
		data, err := json.Marshal(&h)
		if err != nil {
			t.Fatal(err)
		}
		if err := caddy.StrictUnmarshalJSON(data, &again); err != nil {
			t.Fatal(err)
		}
		if second, err := json.Marshal(&again); err != nil || string(second) != string(data) {
			t.Errorf("%s\nbecomes\n%s, %v", data, second, err)
		}
		if h.HubConfig != nil {
			if _, err := again.HubConfig.Compile(nil); err != nil {
				t.Errorf("the parser passes %s, which does not compile: %v", data, err)
			}
		}
	})
}

// TestOptionsHaveGoldens fails for a field of the configuration that no golden
// file shows. Options are added to the parser and forgotten there.
func TestOptionsHaveGoldens(t *testing.T) {
	t.Parallel()
	all := strings.Join(goldens(t), "")
	for _, field := range append(fields(reflect.TypeFor[Handler]()), fields(reflect.TypeFor[App]())...) {
		if !strings.Contains(all, `"`+field+`":`) {
			t.Errorf("no golden file has %q", field)
		}
	}
}

// goldens reads the golden files of the Caddyfile.
func goldens(t testing.TB) (texts []string) {
	t.Helper()
	files, err := filepath.Glob("integration/caddyfile_adapt/*.caddytest")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(data))
	}
	return texts
}

// fields lists the JSON names of a configuration, and of what is in it.
func fields(t reflect.Type) (names []string) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return fields(t.Elem())
	case reflect.Struct:
	default:
		return nil
	}
	if !strings.HasPrefix(t.PkgPath(), reflect.TypeFor[App]().PkgPath()) {
		return nil // not ours
	}
	for f := range t.Fields() {
		if tag, ok := f.Tag.Lookup("json"); ok {
			name, _, _ := strings.Cut(tag, ",")
			names = append(append(names, name), fields(f.Type)...)
		}
	}
	return names
}
