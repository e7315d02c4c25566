// Package browser holds the tests with a real browser, Chromium, and a real Caddy.
// It is a module of its own, so that what drives the browser is no dependency of
// the module that users build.
//
// A test starts a server, a [Chromium] and a [Tab], lets the page do something and
// reads the notes that the page makes (see testdata/probe.js). Nothing but the
// loopback interface is used.
package browser
