// Package client holds the browser client as it is served: the ES module built
// from the TypeScript sources beside this file, which the tests of those sources
// keep up to date.
//
// Everything in it is fixed when the program is built, and may be used by several
// goroutines at once.
package client

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"sync"
)

// ContentType is the media type of [Script].
const ContentType = "text/javascript; charset=utf-8"

//go:embed dist/client.js
var script []byte

// Script is the client, an ES module. It must not be changed.
func Script() []byte { return script }

// ETag is a strong entity tag of [Script], quotes included: it changes with the
// content and with nothing else.
var ETag = sync.OnceValue(func() string {
	sum := sha256.Sum256(script)
	// Half of the hash is beyond any accident, and headers stay short.
	return `"` + hex.EncodeToString(sum[:16]) + `"`
})
