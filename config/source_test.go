package config

import "testing"

func TestParseSourcesRefuses(t *testing.T) {
	t.Parallel()
	for _, words := range [][]string{
		{""}, {"body"}, {"cookie"}, {"cookie:"}, {"query:"}, {"header:x"}, {"message:x"}, {"cookie:a b"}, {"cookie:{a}"}, {"header", "header"},
	} {
		if all, err := ParseSources(words); err == nil {
			t.Errorf("%q: %v", words, all)
		}
	}
}
