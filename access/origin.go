package access

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// errOrigin rejects a request of a page that may not connect.
var errOrigin = protocol.Errorf(protocol.Forbidden,
	"pages of this origin may not connect here; the option 'origins' says which ones may")

// origin is where a page comes from, in its canonical form: lower case, without
// the scheme's own port.
type origin struct{ scheme, host, port string }

// OriginPattern is an origin or, if wild is set, every origin below its host.
type OriginPattern struct {
	origin
	wild bool
}

// Origins are the patterns of a route. None stands for the site itself.
type Origins []OriginPattern

// ParseOrigins reads the origins of a route and replaces their placeholders.
func ParseOrigins(list []string) (all Origins, err error) {
	for _, o := range list {
		resolved, err := block.Resolve(o)
		if err != nil {
			return nil, block.Locate(o, fmt.Errorf("origins: %w", err))
		}
		p, err := ParseOrigin(resolved)
		if err != nil {
			return nil, fmt.Errorf("origins: %w", err)
		}
		all = append(all, p)
	}
	return all, nil
}

// ParseOrigin reads one origin: `https://app.example.com`, with a port where it is
// not the scheme's own, or `https://*.example.com` for all names below.
func ParseOrigin(s string) (OriginPattern, error) {
	u, err := url.Parse(s)
	switch {
	case s == "*" || s == "null":
		return OriginPattern{}, fmt.Errorf("'%s' would let every page act as its visitor; name the origins", s)
	case err != nil || u.Hostname() == "" || u.User != nil || u.Scheme+"://"+u.Host != s || !isASCII(s):
		return OriginPattern{}, fmt.Errorf("'%s' is not an origin such as https://app.example.com or https://*.example.com", s)
	}
	p := OriginPattern{origin: canonical(u)}
	p.host, p.wild = strings.CutPrefix(p.host, "*.")
	if p.host == "" || strings.Contains(p.host, "*") {
		return OriginPattern{}, fmt.Errorf("'%s' has a * that is not the whole first label", s)
	}
	return p, nil
}

// isASCII finds names that browsers send in another form (xn--…).
func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

func canonical(u *url.URL) origin {
	o := origin{strings.ToLower(u.Scheme), strings.ToLower(u.Hostname()), u.Port()}
	if o.scheme == "https" && o.port == "443" || o.scheme == "http" && o.port == "80" {
		o.port = ""
	}
	return o
}

// match compares on the borders of labels: *.example.com is not badexample.com,
// and not example.com itself.
func (p OriginPattern) match(o origin) bool {
	if p.scheme != o.scheme || p.port != o.port {
		return false
	}
	if !p.wild {
		return p.host == o.host
	}
	below, ok := strings.CutSuffix(o.host, "."+p.host)
	return ok && below != ""
}

// Allow reports whether the Origin header of a request is allowed. Programs that are no
// browsers send none and are let in: a header that they could forge protects nobody.
// Browsers leave it out of plain reads, and then say in Sec-Fetch-Site whether the page is
// of another site.
func (os Origins) Allow(r *http.Request) (ok bool) {
	headers := r.Header.Values("Origin")
	if len(headers) == 0 {
		site := r.Header.Get("Sec-Fetch-Site")
		return site == "" || site == "same-origin" || site == "none"
	}
	u, err := url.Parse(headers[0])
	if len(headers) > 1 || err != nil || u.Hostname() == "" || u.Scheme == "" {
		return false // "null" among them: sandboxed frames, files, redirects
	}
	o := canonical(u)
	if len(os) == 0 {
		return o == own(r)
	}
	for _, p := range os {
		if p.match(o) {
			return true
		}
	}
	return false
}

// Reject returns the error for a request that is not allowed. Its detail says, for the log, what
// was compared.
func (os Origins) Reject(r *http.Request) *protocol.Error {
	var allowed []string
	for _, p := range os {
		allowed = append(allowed, p.String())
	}
	if len(os) == 0 {
		allowed = append(allowed, "the site itself, "+own(r).String())
	}
	e := *errOrigin
	e.Detail = "the origin is " + protocol.Quote(strings.Join(r.Header.Values("Origin"), ", ")) + "; allowed: " + strings.Join(allowed, ", ")
	return &e
}

// String writes an origin as a browser sends it.
func (o origin) String() string {
	u := url.URL{Scheme: o.scheme, Host: o.host}
	if strings.Contains(o.host, ":") {
		u.Host = "[" + o.host + "]"
	}
	if o.port != "" {
		u.Host += ":" + o.port
	}
	return u.Scheme + "://" + u.Host
}

// String writes a pattern as the configuration does.
func (p OriginPattern) String() string {
	if p.wild {
		p.host = "*." + p.host
	}
	return p.origin.String()
}

// own is the origin that the request was sent to.
func own(r *http.Request) origin {
	return canonical(&url.URL{Scheme: scheme(r), Host: r.Host})
}

// scheme believes X-Forwarded-Proto only where it comes from a proxy that the
// operator trusts.
func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	trusted, _ := caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool)
	if proto, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ","); trusted && proto != "" {
		return strings.ToLower(strings.TrimSpace(proto))
	}
	return "http"
}
