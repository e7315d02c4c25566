// Package api is the HTTP API: what an app does with its API key, and what a user
// may do without a connection, under the same policy.
//
// The resources are a table of routes (routes.go) and a file for each; a new one
// is a new file, a line in the table and its description in openapi.json, which is
// served, and which a test holds against the table.
//
// # Answers
//
// Bodies are JSON in both directions; errors are problem documents (RFC 9457) with
// the codes of the protocol. The names of channels stand percent-encoded in the
// path, and are decoded once: a slash in a name is %2F.
//
// # Concurrency
//
// [Serve] keeps no state and may be used by several goroutines at once. It starts
// none.
package api
