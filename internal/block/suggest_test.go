package block

import "testing"

func TestSuggestions(t *testing.T) {
	t.Parallel()
	for wrong, want := range map[string]string{
		"rooms": "room", "reed": "read", "histroy": "history", "sise": "size", "grice": "grace",
		"presense": "presence", "users": "user", "quorum": "", "x": "", "subscribed": "subscribe",
	} {
		all := Options[int]{}
		for _, name := range []string{"room", "read", "history", "size", "grace", "presence", "user", "subscribe"} {
			all[name] = Option[int]{}
		}
		got := all.suggest(wrong)
		if want == "" && got != "" || want != "" && got != " (did you mean '"+want+"'?)" {
			t.Errorf("%s: %q, not %q", wrong, got, want)
		}
	}
}
