// Package attacks has no code of its own: its test attacks a real Caddy in a process
// of its own, and the decoders that read what strangers send, and prints one table:
// what was tried, what should come of it, what came of it, and what it cost. A row is
// a subtest. It fails when something else came of it, and when it cost too much.
//
// An attack belongs to a file by what it is aimed at. A row says in words what is
// expected, and its attack answers in the same words; figures may follow in
// parentheses.
//
// # What a row may cost
//
// A gauge measures the memory and the processor time of the server, and how long the
// pings of two neighbours take meanwhile. Two other neighbours ping through a server
// that nobody attacks: what slows both is the machine. docs/security.md explains the
// columns.
//
// Every row has the default bounds. One that needs more calls gauge.allow, and says
// why. One that starts a server of its own calls gauge.watch, and one that attacks
// what is in the test's process calls gauge.unwatch. A row pays until the server is
// quiet again.
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
