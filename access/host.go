package access

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/ws"
)

// A page whose author controls its name in the DNS can have the name lead to this server,
// also to one that only the visitor's network reaches (DNS rebinding). The browser then
// takes the server for a part of the page's own site: Origin and Host match. What such a
// page can not do is to choose a name that somebody else controls. So a request has to be
// for a host that is known here, where no certificate proves it.

// Hosts finds out which names of a server are known.
type Hosts struct {
	once  sync.Once
	named []caddyhttp.MatchHost // of the server's routes; static after once
}

// Known reports whether a page at the host of r can be trusted with its own name: it is
// no name of the public DNS, or somebody who runs this server has named it.
func (h *Hosts) Known(r *http.Request, os Origins) bool {
	server, ok := r.Context().Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	trusted, _ := caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool)
	switch {
	case !ok, r.TLS != nil, trusted: // a proxy serves the names that it was given
		return true
	case ws.IsUpgrade(r) && len(r.Header["Origin"]) == 0: // every browser sends it
		return true
	case len(os) > 0 && len(r.Header["Origin"]) > 0 && os.Allow(r):
		return true // the page is named, not the host
	}
	host := hostname(r.Host)
	if local(host) || slices.ContainsFunc(os, func(p OriginPattern) bool { return p.names(host) }) {
		return true
	}
	h.once.Do(func() { h.named = hostMatchers(server.Routes) })
	return slices.ContainsFunc(h.named, func(m caddyhttp.MatchHost) bool { return m.Match(r) })
}

// hostname is the host of a Host header without its port, in lower case.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// localDomains are not in the public DNS, so that no stranger has a name below them:
// those of RFC 2606, 6761, 6762 and 8375, and what ICANN keeps out for such use.
var localDomains = []string{"localhost", "local", "home.arpa", "internal", "lan", "home", "corp", "test"}

// local reports whether a host is an address, or a name that only a local network knows.
func local(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil || !strings.Contains(host, ".") {
		return true
	}
	return slices.ContainsFunc(localDomains, func(domain string) bool { return strings.HasSuffix(host, "."+domain) })
}

// names reports whether an origin has the host, with any scheme and port.
func (p OriginPattern) names(host string) bool {
	return p.match(origin{p.scheme, host, p.port})
}

// hostMatchers are the host matchers of routes and the routes in them, which have the
// addresses of sites among them. A stranger's name is in none of them, so that it does
// not matter which route has which. What is in a `not` is no name of this server.
func hostMatchers(routes caddyhttp.RouteList) (all []caddyhttp.MatchHost) {
	for _, route := range routes {
		for _, set := range route.MatcherSets {
			for _, matcher := range set {
				switch matcher := matcher.(type) {
				case caddyhttp.MatchHost:
					all = append(all, matcher)
				case *caddyhttp.MatchHost:
					all = append(all, *matcher)
				}
			}
		}
		for _, handler := range route.Handlers {
			if sub, ok := handler.(*caddyhttp.Subroute); ok {
				all = append(all, hostMatchers(sub.Routes)...)
			}
		}
	}
	return all
}
