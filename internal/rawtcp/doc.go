// Package rawtcp has what package net lacks and both transports need: a TCP write that
// never waits, and a timeout for a peer that acknowledges nothing. On Linux it also lets several writes leave in one packet.
package rawtcp
