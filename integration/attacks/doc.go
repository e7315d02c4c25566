// Package attacks has no code of its own: its test attacks a real Caddy, and the
// decoders that read what strangers send, and prints one table: what was tried, what
// should come of it, and what came of it. A row is a subtest, which fails when the
// two differ.
//
// An attack belongs to a file by what it is aimed at. A row says in words what is
// expected, and its attack answers in the same words; figures may follow in
// parentheses.
//
// # Where the identity may come from
//
// The rows about headers are also the description of what is safe. A user that comes
// from a header, user {http.request.header.Remote-User}, is safe behind
// `forward_auth` with `copy_headers Remote-User`, which deletes what the client
// sent also when the authentication names nobody, and behind a proxy whose header
// replaces the client's. `request_header -Remote-User` makes everybody
// anonymous: it runs behind forward_auth and before realtime, and so also removes
// what forward_auth has set. Without either the header is the client's own word.
// Underscores make another header. A header that comes several times is one value,
// joined by a comma, which is no other user's id.
package attacks
