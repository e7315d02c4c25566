package attacks

import "testing"

// afterwards looks whether Caddy is as it was.
func afterwards(w *world) []attack {
	return []attack{
		{"the app", "200", func(t *testing.T) string {
			return w.site.send(t, post("open:1", `{"content":1}`, jsonType, bearer(appKey))).String()
		}},
		{"a conversation", "its own message", func(t *testing.T) string { return echo(t, w.site, "open:afterwards") }},
		{"the log", "each line is one JSON object, forged text stands in values only", func(*testing.T) string { return verdict() }},
	}
}
