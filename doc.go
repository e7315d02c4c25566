// Package realtime is a Caddy module that gives a site real-time channels beside
// its other handlers: browsers connect by WebSocket or Server-Sent Events, and the
// app publishes with one HTTP request.
//
// Start reading here:
//
//   - module.go: [Handler], the handler `http.handlers.realtime`, and its options
//   - serve.go: a request, whether it may go on, and what answers it
//   - endpoint.go: the path of a handler, its matcher, and rewrites before it
//   - caddyfile.go: the directive and the global option `realtime`
//   - app.go: [App], the app `realtime`: how a configuration starts, hands over and ends
//   - hubs.go: the hubs of a configuration: who defines one, who uses it, what it lacks
//
// The handler is thin: package access checks where a request comes from and which client
// sends it, and a transport or the HTTP API answers it. The options of a hub are in package
// config, a hub with everything that belongs to it is a [node.Node], and what leans on
// Caddy's internals is in internal/caddyhost.
//
// Only cmd/caddy and tests import this package. Modules, directives and options are
// registered here and nowhere else.
//
// # What outlives what
//
// The [node.Node] of a hub is kept in a pool of the process, counted by configuration. A
// connection refers to the node's hub and registry and to small values, never to the
// handler, the app, a caddy.Context or a request of the configuration it was accepted
// under, so that these can be freed. Changes of a new configuration come into force when
// the configuration before is notified that it ends. The reason is that Caddy also provisions
// configurations that it only validates, and starts some of which another app fails: the
// end of the one before is the first sign that all apps have started. Requests that come
// by a new configuration wait for that, see [node.Use].
//
// # Locks
//
// This package has none of its own. The lock of the pool is never taken while that of a
// node is held.
package realtime
