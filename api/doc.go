// Package api is the HTTP API: what an app does with its API key, and what a user may do
// without a connection, under the same policy as over a connection.
//
// The table of routes is in routes.go, and each resource has a file. A new resource is a
// new file, a line in the table and a description in openapi.json. The API serves that
// description, and a test compares it with the table.
//
// # Requests and answers
//
// Bodies are JSON in both directions. Errors are problem documents (RFC 9457) with the
// codes of the protocol. The names of channels are percent-encoded in the path and
// decoded once: a slash in a name is %2F. How a body and parameters are read is in
// request.go.
//
// # Concurrency
//
// [Serve] keeps no state, starts no goroutine and may be called by several goroutines at
// once. A tail is a connection of the hub, whose goroutines write to it.
//
// Locks:
//
//	tailWriter.mu > waiting: the write timeout bounds a write
package api
