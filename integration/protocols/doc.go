// Package protocols holds the tests of WebSockets over each version of HTTP, with a
// real Caddy and clients that speak the protocols themselves. What browsers do is
// tested in the module integration/browser.
//
// It is apart from the other integration tests because it turns on WebSockets over
// HTTP/2, which concerns a whole process.
package protocols
