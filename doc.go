// Package realtime is a Caddy module that gives a site real-time channels beside
// its other handlers: browsers connect by WebSocket or Server-Sent Events, and the
// app publishes with one HTTP request.
//
// The handler `http.handlers.realtime` ([Handler]) is thin: it checks where a
// request comes from and who sends it, and hands it to a transport or to the HTTP
// API. The app `realtime` ([App]) owns the hubs, which live as long as any
// configuration names them, so that a reload drops no connection.
//
// # What outlives what
//
// The [node.Node] of a hub is kept in a pool of the process, counted by configuration. A
// connection refers to the node's hub and registry and to small values, never to
// the handler, the app, a caddy.Context or a request of the configuration it was
// accepted under, so that these can be freed. What a new configuration changes is
// swapped when the configuration before is told that it ends. Caddy also provisions
// configurations that it only validates, and starts some of which another app fails;
// the end of the one before is the first sign that all apps have started. Requests that
// come by a new configuration wait for that, see [node.Use].
//
// # Locks
//
// This package has none of its own. The lock of the pool is never taken while that of a
// node is held.
package realtime
