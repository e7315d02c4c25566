// Package conformance checks a server against the promises of docs/protocol.md, from
// outside: it needs an address and nothing of the server's code. Whoever writes a server, or
// a client with a server of its own for tests, in another language can run it with
// cmd/conformance.
//
// Each [Check] is one promise. It opens connections of its own, and uses a channel of its
// own if the [Target] allows that. A check that the target gives no means for is skipped and
// says what it needs.
//
//	check.go        what a check is, and how checks run
//	target.go       what is checked, and what a check may need of it
//	run.go          what a running check has: connections, channels, HTTP requests
//	client.go       a connection: commands, replies, events
//	socket.go       WebSocket frames
//	deflate.go      compressed messages
//	token.go        tokens of users, and how long a check waits
//	envelope.go     what the server sends
//	stream.go       event streams
//	checks_*.go     the promises, by the sections of the page
//	table.go        the result, for people
package conformance
