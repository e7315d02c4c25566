package policy

import (
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func TestSanitizeWords(t *testing.T) {
	t.Parallel()
	for _, m := range []Sanitize{SanitizeNone, SanitizeText, SanitizeHTML} {
		if got, err := ParseSanitize(m.String()); err != nil || got != m {
			t.Errorf("%v reads back as %v, %v", m, got, err)
		}
	}
	for _, word := range []string{"", "HTML", "strict", "Sanitize(7)"} {
		if _, err := ParseSanitize(word); err == nil {
			t.Errorf("%q is accepted", word)
		}
	}
	for m, want := range map[Sanitize]string{SanitizeHTML + 1: "Sanitize(3)", 7: "Sanitize(7)"} {
		if got := m.String(); got != want {
			t.Errorf("an unknown mode is called %q, want %q", got, want)
		}
	}
}

func TestPlainText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                           "",
		"plain":                      "plain",
		"a & b < c":                  "a & b < c",
		"a&b<1>2 'q' \"q\"":          "a&b<1>2 'q' \"q\"",
		"I <3 you &amp; <- them":     "I <3 you &amp; <- them",
		"&lt;b&gt; is bold":          "&lt;b&gt; is bold",
		"&lt;b&gt; is <b>bold</b>":   "&lt;b&gt; is bold",
		"&copy; <i>&#60;i&#62;</i>":  "&copy; &#60;i&#62;",
		"<p>a &amp; b</p>":           "a &amp; b",
		"x<script>a && b</script>y":  "xy",
		"x<style>a{}</style>y":       "xy",
		"<script/>a & b":             "a & b",
		"<xmp>a & b</xmp>":           "a & b",
		"<img src=x onerror=f()>":    "",
		"<a href=\"a>b\">c</a>":      "c",
		"a<!-- b -->c":               "ac",
		"a<!doctype b>c":             "ac",
		"a<?php b ?>c":               "ac",
		"a</p>b</ c>d":               "abd",
		"x <y":                       "x ",
		"x <":                        "x <",
		"<<b>i>x":                    "x",
		"<<b>script>x</<b>script>":   "",
		"<scr<script></script>ipt>x": "ipt>x",
		"\r\n< 1\r":                  "\r\n< 1\r",
		"a\r\n<b>c</b>\rd":           "a\nc\nd",
		"\ufdd0 & <b>\ufdd1":         "\ufdd0 & \ufdd1",
		"\ufdef & <b>x</b>":          "\ufdef & x",
		"a<z>b":                      "ab",
		"a<Z>b":                      "ab",
		"< b>":                       "< b>",
		"<ſcript>":                   "<ſcript>", // folds to s, but not in HTML
	} {
		if got := plainText(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestPlainTextWithAllUnusedCharacters(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for r := '\ufdd0'; r <= '\ufdef'; r++ {
		all.WriteRune(r)
	}
	if got := plainText(all.String() + " < &"); got != all.String()+" < &" {
		t.Errorf("without markup it became %q", got)
	}
	if got := plainText(all.String() + "<b>&lt;i&gt;"); strings.Contains(got, "<") {
		t.Errorf("with markup it became %q", got)
	}
}

func TestHarmless(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain":                                  "plain",
		"<b>a</b> &amp; <i>b</i>":                "<b>a</b> &amp; <i>b</i>",
		"a & b < c":                              "a &amp; b &lt; c",
		"<script>f()</script>":                   "",
		"<p onclick=f()>a</p>":                   "<p>a</p>",
		"<a href=\"javascript:f()\">a</a>":       "a",
		"<a href=\"https://example.com/\">a</a>": "<a href=\"https://example.com/\" rel=\"nofollow\">a</a>",
		"<iframe src=x>a</iframe>b":              "b",
		"&lt;script&gt;":                         "&lt;script&gt;",
		"<b style=\"position:fixed\">a</b>":      "<b>a</b>",
		"<svg><script>f()</script></svg>a":       "a",
		"<img src=\"data:text/html,x\">":         "",

		// Scripts of the page find elements by these, and forms would be sent somewhere.
		"<a id=\"config\" href=\"https://e.com/\">a</a>":                                                      "<a href=\"https://e.com/\" rel=\"nofollow\">a</a>",
		"<p id=x name=y class=z style=\"a:b\">a</p>":                                                          "<p>a</p>",
		"<img name=body src=\"/x.png\">":                                                                      "<img src=\"/x.png\">",
		"<img usemap=\"#m\" src=\"/x.png\">":                                                                  "<img src=\"/x.png\">",
		"<map name=\"m\"><area href=\"/a\" id=b></map>x":                                                      "x",
		"<a target=_top href=\"/a\" form=f>a</a>":                                                             "<a href=\"/a\" rel=\"nofollow\">a</a>",
		"<form action=\"/a\" id=f><input name=parentNode formaction=b><button form=f>x</button></form>":       "x",
		"<object id=a></object><embed name=b><iframe name=c></iframe>x":                                       "x",
		"<svg id=a></svg><math id=b></math>x":                                                                 "x",
		"<output for=a name=b>x</output><label for=a>y</label>":                                               "xy",
		"<td id=a headers=\"b c\" scope=row colspan=2>x</td>":                                                 "<td scope=\"row\" colspan=\"2\">x</td>",
		"<p slot=a part=b is=c data-x=d aria-labelledby=e itemid=f tabindex=1 accesskey=g lang=\"x y\">x</p>": "<p>x</p>",

		// What formats stays.
		"<p title=\"a\" dir=\"rtl\" lang=\"de-CH\">a</p>":                                                                "<p title=\"a\" dir=\"rtl\" lang=\"de-CH\">a</p>",
		"<table width=\"5\"><thead><tr valign=\"top\"><th>a</th></tr></thead><tbody><tr><td>b</td></tr></tbody></table>": "<table width=\"5\"><thead><tr valign=\"top\"><th>a</th></tr></thead><tbody><tr><td>b</td></tr></tbody></table>",
		"<table><caption>a</caption><tr><td>b</td></tr></table>":                                                         "<table><caption>a</caption><tr><td>b</td></tr></table>",
		"<ul><li>a</li></ul><ol type=\"a\"><li value=\"3\">b</li></ol>":                                                  "<ul><li>a</li></ul><ol type=\"a\"><li value=\"3\">b</li></ol>",
		"<details open=\"\"><summary>a</summary><time datetime=\"2024-01-01\">b</time></details>":                        "<details open=\"\"><summary>a</summary><time datetime=\"2024-01-01\">b</time></details>",
		"<blockquote cite=\"https://e.com/\"><pre><code>a</code></pre></blockquote><del>b</del>":                         "<blockquote cite=\"https://e.com/\"><pre><code>a</code></pre></blockquote><del>b</del>",
		"<img src=\"/x.png\" alt=\"a\" width=\"5\">":                                                                     "<img src=\"/x.png\" alt=\"a\" width=\"5\">",
	} {
		if got := harmless(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

// What need not change stays as it was written, down to the byte.
func TestSanitizeContent(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		mode          Sanitize
		content, want string
	}{
		"none":               {SanitizeNone, `"<b>"`, `"<b>"`},
		"scalar":             {SanitizeText, `"a <b>b</b>"`, `"a b"`},
		"all the way down":   {SanitizeText, `{"b":["<i>1",{"a":["x","<i>"]}],"a":"<i>2"}`, `{"b":["1",{"a":["x",""]}],"a":"2"}`},
		"escaped":            {SanitizeText, `"\u003cb\u003Ex\u003C/b>"`, `"x"`},
		"escaped backslash":  {SanitizeText, `"\\u003cb>"`, `"\\u003cb>"`},
		"numbers":            {SanitizeText, `[1.0,-0,1E+2,12345678901234567890.10,1e999,"<b>"]`, `[1.0,-0,1E+2,12345678901234567890.10,1e999,""]`},
		"order and doubles":  {SanitizeText, `{"z":1,"a":"<b>","a":"<b>x","m":null}`, `{"z":1,"a":"","a":"x","m":null}`},
		"other escapes stay": {SanitizeText, `["\u0041\/\ud800",true,"<b>"]`, `["\u0041\/\ud800",true,""]`},
		"quotes":             {SanitizeText, `"<b>\"a\"\n\\</b>"`, `"\"a\"\n\\"`},
		"names with entity":  {SanitizeHTML, `{"a&b \"<1>\"":1}`, `{"a&b \"<1>\"":1}`},
		"html":               {SanitizeHTML, `{"a":"<b>x</b><script>y</script>"}`, `{"a":"<b>x</b>"}`},
		"html of a text":     {SanitizeHTML, `["it's","\u0026"]`, `["it&#39;s","&amp;"]`},
		"nothing suspicious": {SanitizeHTML, `{"a":["b",1]}`, `{"a":["b",1]}`},
	} {
		got, e := checked(t, Room{Sanitize: test.mode}).Check([]byte(test.content))
		if e != nil || string(got) != test.want {
			t.Errorf("%s: %s, %v, want %s", name, got, e, test.want)
		}
	}
}

func TestSanitizeRefusesNames(t *testing.T) {
	t.Parallel()
	for _, m := range []Sanitize{SanitizeText, SanitizeHTML} {
		for _, content := range []string{`{"<b>":1}`, `[{"a":{"x<!-- " :1}}]`, `{"\u003Cimg>":"<b>"}`} {
			got, e := checked(t, Room{Sanitize: m}).Check([]byte(content))
			if code(e) != protocol.SchemaViolation || got != nil {
				t.Errorf("%v %s: %s, %v", m, content, got, e)
			}
		}
	}
}
