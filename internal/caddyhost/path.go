package caddyhost

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// OriginalURL returns the URL with which the request came in. Without a server that is
// the current one.
func OriginalURL(r *http.Request) *url.URL {
	if original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request); ok {
		return original.URL
	}
	return r.URL
}

// Below cuts the base path of an endpoint off the path of a URL: "" is
// the base path itself, "/x" lies below it. The rest stays encoded, because a slash in the
// name of a channel is not one of the path. Case does not matter, as in Caddy's path
// matcher. What that matcher finds outside, such as /rt/..%2Fx, is outside here, too.
func Below(base string, u *url.URL) (rest string, ok bool) {
	base = strings.TrimSuffix(base, "/")
	if !within(base, u.Path) || !within(base, caddyhttp.NormalizedPath(u.Path, true)) {
		return "", false
	}
	escaped, at := u.EscapedPath(), 0
	for range len(base) { // any of its bytes may be encoded
		if escaped[at] == '%' {
			at += 2
		}
		at++
	}
	rest = escaped[at:]
	if rest == "/" {
		rest = ""
	}
	return rest, rest == "" || rest[0] == '/'
}

// within reports whether a decoded path begins like base.
func within(base, path string) bool {
	return len(path) >= len(base) && strings.EqualFold(path[:len(base)], base) && (len(path) == len(base) || path[len(base)] == '/')
}
