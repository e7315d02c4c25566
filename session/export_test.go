package session

// dialect is what the clients of the tests speak: the native dialect. dialect_test.go
// sets it, because no file of this package may import a dialect, which imports it.
var dialect Dialect

// SpeakInTests sets the dialect of the tests' clients.
func SpeakInTests(d Dialect) { dialect = d }
