// Package config is what an operator writes about a hub, and what a route says about API
// keys, tokens and the questions to the app.
//
// Each block of the configuration has one struct, with its JSON fields and its check, in
// a file of its own; the file <name>_caddyfile.go beside it has its Caddyfile grammar. The
// comments of the fields are the documentation for users. [Hub.Compile] turns a hub into
// [node.Settings], the words of the packages that carry it out.
//
// The package imports Caddy, for placeholders and the Caddyfile, and the packages whose
// settings it makes. It starts nothing and holds nothing that runs. Start reading in
// hub.go.
package config
