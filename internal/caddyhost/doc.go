// Package caddyhost has what leans on the internals of Caddy: types that it does not
// export, what it keeps in the context of a request, and the order in which it provisions
// the routes of a configuration. An update of Caddy may break such code, and then it is
// found here.
//
//   - conn.go, stream.go and bounded.go: the connection below a request, and its timeouts
//   - path.go, way.go and replay.go: paths, what a request passes before it gets to a
//     handler, and how a request is served by the path with which it came in
//   - count.go and errors.go: the routes and the error routes of a server
//
// It imports Caddy and of this module only what ends panics.
package caddyhost
