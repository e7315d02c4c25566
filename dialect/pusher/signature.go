package pusher

import (
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// clockSkew is how far the time of a signed request may be from the time of this server.
const clockSkew = 600 * time.Second

// checkSignature returns an error unless the request was signed with a secret of the app. Without
// the time and the key in the check, a request that somebody has recorded could be sent again for
// ever. query are the parameters as they were signed, which is without an escape. path is what the
// library of the app may have signed: the whole path, or what follows the prefix of the route.
func (a *App) checkSignature(r *http.Request, path string, query map[string]string, body []byte, now time.Time) *protocol.Error {
	secret, known := a.secret(query["auth_key"])
	at, err := strconv.ParseInt(query["auth_timestamp"], 10, 64)
	switch {
	case !known:
		return unsigned("auth_key is not a key of this app")
	case query["auth_version"] != "1.0":
		return unsigned("auth_version must be 1.0")
	case err != nil || now.Sub(time.Unix(at, 0)).Abs() > clockSkew:
		return unsigned("auth_timestamp is not within 600 seconds of the time of this server, which is " + strconv.FormatInt(now.Unix(), 10))
	}
	if sum, given := query["body_md5"]; given || len(body) > 0 {
		if have := md5.Sum(body); !strings.EqualFold(sum, hex.EncodeToString(have[:])) {
			return unsigned("body_md5 is not the MD5 of the body")
		}
	}
	signed := "\n" + canonical(query)
	for _, p := range []string{r.URL.Path, r.URL.EscapedPath(), path, unescaped(path)} {
		if verify(secret, query["auth_signature"], r.Method+"\n"+p+signed) {
			return nil
		}
	}
	return unsigned("auth_signature is not valid")
}

func unsigned(text string) *protocol.Error {
	return protocol.Errorf(protocol.Unauthorized, "%s", text)
}

func unescaped(path string) string {
	if p, err := url.PathUnescape(path); err == nil {
		return p
	}
	return path
}

// parseQuery parses a query. The libraries put values into it without escapes, so that a semicolon
// or a comma is no mark here. A name with [] has several values, which are signed with commas.
func parseQuery(raw string) map[string]string {
	query := make(map[string]string)
	for part := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(part, "=")
		name, err1 := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil || name == "" {
			continue
		}
		name = strings.ToLower(name)
		if several, ok := strings.CutSuffix(name, "[]"); ok {
			if before, again := query[several]; again {
				value = before + "," + value
			}
			name = several
		}
		query[name] = value
	}
	return query
}

// canonical returns the parameters as they are signed.
func canonical(query map[string]string) string {
	names := make([]string, 0, len(query))
	for name := range query {
		if name != "auth_signature" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(name + "=" + query[name])
	}
	return b.String()
}
