package block

import (
	"regexp"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// Resolve replaces the placeholders of a text. One that is unknown or empty is an error,
// which names the placeholder and not its value.
func Resolve(text string) (string, error) {
	return caddy.NewReplacer().ReplaceOrErr(text, true, true)
}

// Constant reports whether a text has no placeholder at all. A placeholder that lacks a
// brace is none.
func Constant(text string) bool {
	_, err := caddy.NewEmptyReplacer().ReplaceOrErr(text, false, true)
	return err == nil
}

// InTheClear reports whether a secret stands in the configuration itself, not behind a
// placeholder such as {env.NAME}.
func InTheClear(secret string) bool { return caddy.NewReplacer().ReplaceAll(secret, "") == secret }

// InFile reports whether a text has a placeholder for the content of a file.
func InFile(text string) bool { return strings.Contains(text, "{file.") }

var leadingPlaceholder = regexp.MustCompile(`^\{[a-z_]+\.[^\s{}"]+\}`)

// StartsWithPlaceholder is about paths such as {env.SCHEMAS}/chat.json.
func StartsWithPlaceholder(text string) bool { return leadingPlaceholder.MatchString(text) }
