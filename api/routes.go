package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// route is what happens with one method at one path.
type route struct {
	method string
	// pattern is the path as it stands in the description: {channel} is any one
	// segment.
	pattern string
	// handle answers, or returns the error to answer with.
	handle func(*call) *protocol.Error

	segments []string // of pattern; set by compile
}

const channelSegment = "{channel}"

// routes is the whole API. HEAD goes where GET goes.
var routes = compile(
	route{method: http.MethodGet, pattern: "/channels", handle: listChannels},
	route{method: http.MethodGet, pattern: "/channels/{channel}/messages", handle: history},
	route{method: http.MethodPost, pattern: "/channels/{channel}/messages", handle: publish},
	route{method: http.MethodPost, pattern: "/publish", handle: publishBatch},
	route{method: http.MethodGet, pattern: "/openapi.json", handle: describe},
)

func compile(rs ...route) []route {
	for i := range rs {
		rs[i].segments, _ = split(rs[i].pattern)
	}
	return rs
}

// split cuts a path that is still encoded into its segments. False: it has none.
func split(path string) (segments []string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/")
	return strings.Split(rest, "/"), ok && rest != ""
}

// ours reports whether any route begins with this segment.
func ours(first string) bool {
	return slices.ContainsFunc(routes, func(r route) bool { return r.segments[0] == first })
}

// at lists the routes of a path.
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
		return p == s || p == channelSegment && s != ""
	})
}

// channel decodes the channel that the path names.
func (r route) channel(segments []string) (string, *protocol.Error) {
	i := slices.Index(r.segments, channelSegment)
	if i < 0 {
		return "", nil
	}
	name, err := url.PathUnescape(segments[i])
	if err != nil {
		return "", protocol.Errorf(protocol.InvalidChannel, "the channel in the path is not percent-encoded correctly")
	}
	return name, protocol.ValidChannel(name)
}

// choose gives the route of a method, or nil.
func choose(here []route, method string) *route {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if i := slices.IndexFunc(here, func(r route) bool { return r.method == method }); i >= 0 {
		return &here[i]
	}
	return nil
}

// allow lists the methods of a path, as the header Allow does.
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
