// Package engines runs the browser client in the browsers that are no Chromium: Firefox, and WebKit, the engine of Safari.
// `make browsers` runs it. The tests of package browser run in Chromium, and each run of the tests has them.
package engines
