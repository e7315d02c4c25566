// Package access decides who sends a request, and from where: the origin of the page and
// the host that it names (origin.go, host.go, cors.go), the API key of an app (keyring.go),
// the user of a client by placeholder or token (identity.go, source.go, tokens.go), and the
// questions to the app (authorizer.go and the files beside it), which internal/askapp sends.
//
// A [Realm] holds what the blocks token and authorize of a route say. The package
// decides about one request at a time and keeps no connections; what a client may do later
// is decided in package session.
//
// It imports Caddy, the configuration, and what a session needs to know of a client. Start
// reading in identity.go.
package access
