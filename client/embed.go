// Package client holds the browser client as it is served: the ES modules, and a
// script for pages without modules, built from the TypeScript sources beside this
// file, which the tests of those sources keep up to date.
//
// Everything in it is fixed when the program is built, and may be used by several
// goroutines at once.
package client

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"path"
	"sync"
)

// ContentType is the media type of a [Script].
const ContentType = "text/javascript; charset=utf-8"

// Script is an ES module, or global.js, a classic script.
type Script struct {
	// Text must not be changed.
	Text []byte
	// ETag is a strong entity tag, quotes included: it changes with the text and
	// with nothing else.
	ETag string
}

//go:embed dist/away.js dist/calls.js dist/client.js dist/diagnose.js dist/documents.js dist/global.js dist/shared.js dist/sharedworker.js dist/stores.js dist/watch.js
var dist embed.FS

// Scripts are the modules by their names. They find each other by those: all are
// served from one place.
var Scripts = sync.OnceValue(func() map[string]Script {
	files, err := dist.ReadDir("dist")
	if err != nil {
		panic(err) // the directory is part of the program
	}
	scripts := make(map[string]Script, len(files))
	for _, f := range files {
		text, err := dist.ReadFile(path.Join("dist", f.Name()))
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(text)
		// Half of the hash is beyond any accident, and headers stay short.
		scripts[f.Name()] = Script{text, `"` + hex.EncodeToString(sum[:16]) + `"`}
	}
	return scripts
})
