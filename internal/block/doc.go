// Package block reads the blocks of a Caddyfile.
//
// A block is a table, [Options], from the name of an option to what reads it, [Option].
// The table finds unknown, repeated and badly written options and names their lines. The
// package also has the values that options share, such as sizes and durations, and what
// there is to know about placeholders.
//
// It imports Caddy and no package of this module. Start reading in options.go.
package block
