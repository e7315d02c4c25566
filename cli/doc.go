// Package cli is the command line of this module: `caddy realtime …`. It is a client of the
// HTTP API. It knows neither Caddy nor the server's packages: [Host] is what the program
// around it does for it.
//
// Each command, except for store, asks the admin endpoint of a running Caddy, or, with --url, the site itself
// with an API key. A command is one file: a function that makes it, and a line in the table
// of cli.go. What a command prints for people goes to standard output as text. With --json
// it prints the server's answer.
//
// # Exit codes
//
//	0  it is done, or the answer is yes
//	1  wrong use, or the server rejected the request
//	2  the answer is no: explain says "not allowed", user is offline, doctor, store or bench found a problem
//	3  the server can not be reached
//
// # Goroutines
//
// Only bench has more than one: it starts them in an errgroup and waits for all of them. A
// panic ends the program, as it should in a command.
package cli
