package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// sealed is a token with a header and claims of any text.
func sealed(header, claims string) string {
	body := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(body))
	return body + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func TestVerifyIsStrict(t *testing.T) {
	t.Parallel()
	v := verifier(t, Config{Keys: Keys{Secrets: [][]byte{secret}}})
	const plain, rest = `{"alg":"HS256"}`, `,"exp":99999999999}`
	for name, test := range map[string]struct {
		header, claims string
		user           string // of an accepted token
	}{
		"plain":                             {plain, `{"sub":"ann"` + rest, "ann"},
		"white space around it":             {" " + plain + "\n", " {\"sub\":\"ann\"" + rest + " \n", "ann"},
		"a character by a pair of escapes":  {plain, `{"sub":"\uD83D\uDE00"` + rest, "😀"},
		"a backslash before the letters":    {plain, `{"sub":"\\ud800"` + rest, `\ud800`},
		"b64 true":                          {`{"alg":"HS256","b64":true}`, `{"sub":"ann"` + rest, "ann"},
		"the same name in different places": {plain, `{"sub":"ann","info":{"sub":1,"a":[{"sub":1},{"sub":1}]},"x":{"sub":1}` + rest, "ann"},

		"crit":                             {`{"alg":"HS256","crit":["exp"],"exp":1}`, `{"sub":"ann"` + rest, ""},
		"crit of what is not there":        {`{"alg":"HS256","crit":["x"]}`, `{"sub":"ann"` + rest, ""},
		"crit without names":               {`{"alg":"HS256","crit":[]}`, `{"sub":"ann"` + rest, ""},
		"crit null":                        {`{"alg":"HS256","crit":null}`, `{"sub":"ann"` + rest, ""},
		"b64 false":                        {`{"alg":"HS256","b64":false}`, `{"sub":"ann"` + rest, ""},
		"b64 false and crit":               {`{"alg":"HS256","b64":false,"crit":["b64"]}`, `{"sub":"ann"` + rest, ""},
		"text behind the header":           {plain + `{}`, `{"sub":"ann"` + rest, ""},
		"a header that is a list":          {`[]`, `{"sub":"ann"` + rest, ""},
		"text behind the claims":           {plain, `{"sub":"ann"` + rest + `{"sub":"root"}`, ""},
		"a letter behind the claims":       {plain, `{"sub":"ann"` + rest + `x`, ""},
		"half of a pair":                   {plain, `{"sub":"a\ud800"` + rest, ""},
		"half of a pair, the other half":   {plain, `{"sub":"a\uDFFF"` + rest, ""},
		"two first halves":                 {plain, `{"sub":"\ud800\ud800"` + rest, ""},
		"a half before another escape":     {plain, `{"sub":"\ud800\n"` + rest, ""},
		"a half in another claim":          {plain, `{"sub":"ann","x":["\udc00"]` + rest, ""},
		"a half in a name":                 {plain, `{"sub":"ann","\ud800":1` + rest, ""},
		"a byte that is not UTF-8":         {plain, "{\"sub\":\"a\xff\"" + rest, ""},
		"a half as bytes":                  {plain, "{\"sub\":\"a\xed\xa0\x80\"" + rest, ""},
		"a subject twice":                  {plain, `{"sub":"ann","sub":"root"` + rest, ""},
		"a subject twice, once by escapes": {plain, `{"sub":"ann","s\u0075b":"root"` + rest, ""},
		"a name twice deep inside":         {plain, `{"sub":"ann","info":{"a":[[{"b":{},"b":1}]]}` + rest, ""},
		"an algorithm twice, both good":    {`{"alg":"HS256","alg":"HS256"}`, `{"sub":"ann"` + rest, ""},
	} {
		id, err := v.Verify(context.Background(), sealed(test.header, test.claims))
		switch {
		case test.user != "" && (err != nil || id.User != test.user):
			t.Errorf("%s: user %q, %v, want %q", name, id.User, err, test.user)
		case test.user == "" && (err == nil || errors.Is(err, ErrExpired) || errors.Is(err, ErrKeys)):
			t.Errorf("%s: user %q, %v", name, id.User, err)
		}
	}
}

// FuzzCheckJSON: what is accepted reads the same with a decoder that replaces nothing.
func FuzzCheckJSON(f *testing.F) {
	for _, s := range []string{`{"a":"\ud83d\ude00","b":[{},{"a":1}]}`, `{"a":1,"a":2}`, `"\ud800"`, `"\\ud800"`, `[] []`, "\"\xff\"", `"\u12"`, `{"a":{"a":{"a":"a"}},"b":"a"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if CheckJSON(text) != nil {
			return
		}
		var v any
		if err := json.Unmarshal(text, &v); err != nil && !strings.Contains(err.Error(), "cannot unmarshal number") {
			t.Fatalf("%q: %v", text, err)
		}
		if shown := fmt.Sprint(v); strings.ContainsRune(shown, '\ufffd') && !strings.ContainsRune(string(text), '\ufffd') && !strings.Contains(strings.ToLower(string(text)), `\ufffd`) {
			t.Errorf("%q reads as %q", text, shown)
		}
	})
}
