package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestContent holds what clients publish against the rules of their room, whichever
// way they come.
func TestContent(t *testing.T) {
	t.Setenv("REALTIME_TEST_KEY", appKey)
	schema := filepath.Join(t.TempDir(), "chat.json")
	write(t, schema, `{"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}`)
	site := `
		http://{{site}} {
			realtime {
				api_key {env.REALTIME_TEST_KEY}
				room chat:* {
					subscribe anyone
					publish anyone
					schema ` + schema + `
					sanitize text
					content {
						size 100
					}
				}
				room note:* {
					subscribe anyone
					publish anyone
					schema ` + "`{\"type\": \"number\"}`" + `
				}
			}
		}
	`
	c := Start(t, site)
	ws := dial(t, "ws://"+c.Addr("site")+"/realtime")
	send(t, ws, `{"type":"subscribe","payload":{"channel":"chat:1"}}`)
	expect(t, ws, `"type":"subscribed"`)
	for content, want := range map[string]string{
		`{"text":"<b>hello</b> a & b"}`:                     `"content":{"text":"hello a & b"}`,
		`{"text":1}`:                                        `"code":"SCHEMA_VIOLATION"`,
		`{"text":"<i></i>"}`:                                "after sanitizing",
		`{"text":"` + strings.Repeat("x", 100) + `"}`:       `"code":"TOO_LARGE"`,
		`{"text":"\u003cscript>alert(1)\u003c/script>ok."}`: `"content":{"text":"ok."}`,
	} {
		send(t, ws, `{"type":"message","id":1,"payload":{"channel":"chat:1","content":`+content+`}}`)
		expect(t, ws, want)
	}
	base := "http://" + c.Addr("site") + "/realtime/channels/"
	for _, test := range []struct {
		channel, content, authorization string
		status                          int
	}{
		{"note:1", `1`, "", 200},
		{"note:1", `"one"`, "", 422},
		{"note:1", `"one"`, "Bearer " + appKey, 200},
	} {
		res, text := request(t, "POST", base+test.channel+"/messages", `{"content":`+test.content+`}`, "Content-Type", "application/json", "Authorization", test.authorization)
		if res.StatusCode != test.status {
			t.Errorf("%+v: %d %s", test, res.StatusCode, text)
		}
	}
	// A schema that is gone or wrong leaves everything as it was.
	for text, want := range map[string]string{"{\n\"type\": }": "chat.json: schema is not valid JSON: line 2", "": "no such file"} {
		write(t, schema, text)
		if text == "" {
			if err := os.Remove(schema); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Load(strings.Replace(site, "size 100", "size 99", 1)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, not one with %q", err, want)
		}
	}
	send(t, ws, `{"type":"message","id":2,"payload":{"channel":"chat:1","content":{}}}`)
	expect(t, ws, `SCHEMA_VIOLATION`)
}
