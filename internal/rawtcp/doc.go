// Package rawtcp does with TCP sockets what package net does not offer: a write
// that never waits, and giving up a peer that acknowledges nothing. Both
// transports need it.
package rawtcp
