package config

import (
	"encoding/json"
	"io/fs"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/policy"
)

// reads pretends that there are files.
func reads(files map[string]string) ReadFile {
	return func(name string) ([]byte, error) {
		text, ok := files[name]
		if !ok {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return []byte(text), nil
	}
}

func TestSchema(t *testing.T) {
	t.Setenv("REALTIME_SCHEMAS", "dir")
	read := reads(map[string]string{
		"dir/text.json": `{"type": "string"}`, "broken.json": "{\n\"type\":\n}", "wrong.json": `{"type": 1}`, "empty.json": "",
	})
	for file, want := range map[string]string{
		"dir/text.json":                    "",
		"{env.REALTIME_SCHEMAS}/text.json": "",
		"{env.REALTIME_NOTHING}/text.json": "env.REALTIME_NOTHING",
		"none.json":                        "open none.json",
		"broken.json":                      "broken.json: schema is not valid JSON: line 3: ",
		"empty.json":                       "empty.json: schema is not valid JSON: line 1: ",
		"wrong.json":                       "wrong.json: schema: ",
	} {
		c := &Schema{File: file}
		schema, err := c.compile(read)
		switch {
		case want == "" && (err != nil || schema == nil):
			t.Errorf("%s: %v", file, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: error %v, not one with %q", file, err, want)
		}
		if _, err := c.compile(nil); err != nil {
			t.Errorf("%s: read too early: %v", file, err)
		}
	}
}

func TestIsInline(t *testing.T) {
	t.Parallel()
	for arg, want := range map[string]bool{
		`{}`: true, `{"a": 1}`: true, "{\n}": true, `{broken`: true, `{a: 1}`: true,
		"a.json": false, "{env.DIR}/a.json": false, "{file./etc/dir}/a.json": false,
	} {
		if got := isInline(arg); got != want {
			t.Errorf("%s: %t", arg, got)
		}
	}
}

func TestCompileContent(t *testing.T) {
	t.Parallel()
	c := Room{
		Pattern: "x", Subscribe: "granted", Publish: "granted", Read: "server", History: History{Size: 1},
		Content: Content{Size: 100, Depth: 2, Nodes: 3}, Sanitize: "html",
		Schema: &Schema{Inline: json.RawMessage(`{"type": "string"}`)},
	}
	room, err := c.compile(nil)
	if err != nil {
		t.Fatal(err)
	}
	if room.Subscribe != policy.Granted || room.Publish != policy.Granted || room.HistoryAccess != policy.Server {
		t.Errorf("access %v %v %v", room.Subscribe, room.Publish, room.HistoryAccess)
	}
	if room.Bounds != (policy.Bounds{Size: 100, Depth: 2, Nodes: 3}) || room.Sanitize != policy.SanitizeHTML || room.Schema == nil {
		t.Errorf("content %+v %v %v", room.Bounds, room.Sanitize, room.Schema)
	}
}

// TestCompileContentRefuses is about what JSON can say and the Caddyfile can not.
func TestCompileContentRefuses(t *testing.T) {
	t.Parallel()
	text := json.RawMessage(`{}`)
	for want, c := range map[string]Room{
		"schema: exactly one":      {Schema: &Schema{}},
		"exactly one of a file":    {Schema: &Schema{File: "x", Inline: text}},
		"content: negative number": {Content: Content{Nodes: -1}},
		"contradicts '{user}'":     {Pattern: "{user}", Read: "anyone", History: History{Size: 1}},
	} {
		if c.Pattern == "" {
			c.Pattern = "x"
		}
		if c.Publish == "" {
			c.Publish = "users"
		}
		if _, err := c.compile(nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, not one with %q", err, want)
		}
	}
}
