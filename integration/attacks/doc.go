// Package attacks has no code of its own: its test attacks a real Caddy, and the
// decoders that read what strangers send, and prints one table: what was tried, what
// should come of it, and what came of it. A row is a subtest, which fails when the
// two differ.
//
// An attack belongs to a file by what it is aimed at. A row says in words what is
// expected, and its attack answers in the same words; figures may follow in
// parentheses.
//
// # Which headers are safe
//
// The rows about identity are also the description of when a user may come from a
// header, as with user {http.request.header.Remote-User}. Behind forward_auth with
// copy_headers it may: what the client sent is deleted, also when the
// authentication names nobody. Behind request_header -Remote-User everybody is
// anonymous; that directive runs between forward_auth and realtime and would remove
// what forward_auth has set. With nothing before it the header is the client's own
// word. A name with an underscore is another header, and a header that comes
// several times is one value, joined by commas.
package attacks
