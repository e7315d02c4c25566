package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// route is one method at one path.
type route struct {
	method string
	// pattern is the path as in the description. A segment in braces matches any segment.
	pattern string
	// handle answers, or returns the error to answer with.
	handle func(*call) *protocol.Error

	segments []string // of pattern; set by compile
}

// variables are the segments that stand for a name, with the check of that name.
var variables = map[string]func(string) *protocol.Error{
	"{channel}":    protocol.ValidChannel,
	"{user}":       validUser,
	"{offset}":     validOffset,
	"{connection}": func(string) *protocol.Error { return nil },
}

func validUser(id string) *protocol.Error {
	if id == "" || !auth.ValidUser(id) {
		return protocol.Errorf(protocol.InvalidMessage, "the path names a user id that is not possible: ids have at most 255 bytes and no control characters or space around them")
	}
	return nil
}

// routes is the whole API. HEAD uses the routes of GET.
var routes = compile(
	route{method: http.MethodPost, pattern: "/call", handle: callApp},
	route{method: http.MethodGet, pattern: "/channels", handle: listChannels},
	route{method: http.MethodDelete, pattern: "/channels/{channel}/document", handle: deleteDocument},
	route{method: http.MethodGet, pattern: "/channels/{channel}/document", handle: getDocument},
	route{method: http.MethodPatch, pattern: "/channels/{channel}/document", handle: patchDocument},
	route{method: http.MethodPut, pattern: "/channels/{channel}/document", handle: putDocument},
	route{method: http.MethodPost, pattern: "/channels/{channel}/document/changes", handle: proposeChange},
	route{method: http.MethodGet, pattern: "/channels/{channel}/messages", handle: history},
	route{method: http.MethodPost, pattern: "/channels/{channel}/messages", handle: publish},
	route{method: http.MethodGet, pattern: "/channels/{channel}/presence", handle: members},
	route{method: http.MethodPost, pattern: "/channels/{channel}/presence", handle: updateMember},
	route{method: http.MethodDelete, pattern: "/channels/{channel}/messages", handle: purge},
	route{method: http.MethodDelete, pattern: "/channels/{channel}/messages/{offset}", handle: redact},
	route{method: http.MethodGet, pattern: "/connections", handle: listConnections},
	route{method: http.MethodGet, pattern: "/connections/{connection}", handle: getConnection},
	route{method: http.MethodDelete, pattern: "/connections/{connection}", handle: kickConnection},
	route{method: http.MethodPost, pattern: "/connections/{connection}/channels/{channel}", handle: subscribeConnection},
	route{method: http.MethodDelete, pattern: "/connections/{connection}/channels/{channel}", handle: unsubscribeConnection},
	route{method: http.MethodGet, pattern: "/explain", handle: explain},
	route{method: http.MethodPost, pattern: "/follow", handle: follow},
	route{method: http.MethodPost, pattern: "/publish", handle: publishBatch},
	route{method: http.MethodGet, pattern: ReadyPath, handle: ready},
	route{method: http.MethodPost, pattern: "/revocations", handle: revoke},
	route{method: http.MethodGet, pattern: "/stats", handle: getStats},
	route{method: http.MethodGet, pattern: "/tail", handle: tail},
	route{method: http.MethodPost, pattern: "/turn", handle: turn},
	route{method: http.MethodGet, pattern: "/users/{user}", handle: getUser},
	route{method: http.MethodDelete, pattern: "/users/{user}", handle: forgetUser},
	route{method: http.MethodPost, pattern: "/users/{user}/channels/{channel}", handle: subscribeUser},
	route{method: http.MethodDelete, pattern: "/users/{user}/channels/{channel}", handle: unsubscribeUser},
	route{method: http.MethodDelete, pattern: "/users/{user}/connections", handle: kickUser},
	route{method: http.MethodGet, pattern: "/openapi.json", handle: describe},
)

func compile(rs ...route) []route {
	for i := range rs {
		rs[i].segments, _ = split(rs[i].pattern)
	}
	return rs
}

// split splits a path that is still encoded into its segments. It returns false if there
// are none.
func split(path string) (segments []string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/")
	return strings.Split(rest, "/"), ok && rest != ""
}

// ours reports whether any route starts with this segment.
func ours(first string) bool {
	return slices.ContainsFunc(routes, func(r route) bool { return r.segments[0] == first })
}

// at returns the routes of a path.
func at(segments []string) (here []route) {
	for _, r := range routes {
		if r.matches(segments) {
			here = append(here, r)
		}
	}
	return here
}

func (r route) matches(segments []string) bool {
	return slices.EqualFunc(r.segments, segments, func(p, s string) bool {
		return p == s || variables[p] != nil && s != ""
	})
}

// names returns the decoded names in the path, in order.
func (r route) names(segments []string) (names []string, e *protocol.Error) {
	for i, p := range r.segments {
		valid := variables[p]
		if valid == nil {
			continue
		}
		name, err := url.PathUnescape(segments[i])
		if err != nil {
			return nil, protocol.Errorf(protocol.InvalidMessage, "the path is not percent-encoded correctly")
		}
		if e := valid(name); e != nil {
			return nil, e
		}
		names = append(names, name)
	}
	return names, nil
}

// choose returns the route of a method, or nil.
func choose(here []route, method string) *route {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if i := slices.IndexFunc(here, func(r route) bool { return r.method == method }); i >= 0 {
		return &here[i]
	}
	return nil
}

// allow returns the methods of a path, for the header Allow.
func allow(here []route) string {
	methods := []string{http.MethodOptions}
	for _, r := range here {
		methods = append(methods, r.method)
		if r.method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	slices.Sort(methods)
	return strings.Join(methods, ", ")
}
