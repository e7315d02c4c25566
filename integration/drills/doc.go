// Package drills has no code of its own: its tests put a real Caddy under what
// happens to servers in the field, and let the checker of deliveries decide how it
// did. Each drill is a file: reloads, lost connections, the exit of the process,
// cut cables, bad input, slow readers.
//
// The clients are small and share nothing with the server but the description of
// the protocol: a subscriber that comes back where it was cut off, over WebSocket or
// as an event stream, and publishers that try again.
//
// The drills run one after the other, because there is one Caddy in a process and
// because they count goroutines and memory. Nothing is waited for by the clock: a
// time limit only says when a drill has failed.
package drills
