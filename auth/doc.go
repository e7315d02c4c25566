// Package auth verifies tokens (JWT, RFC 7519, under the rules of RFC 8725), keeps the
// list of revoked ones, and asks the app what a client may do.
//
// # Tokens
//
// A [Verifier] has exactly one kind of key: shared secrets, public keys, or a set of
// public keys at a URL of the configuration. The kind of key decides which algorithms
// are accepted. Nothing in a token does. The verifier ignores header fields that name
// or carry keys (jku, x5u, jwk), and uses kid only to select a key of the set.
//
// Tokens are never logged and never part of an error.
//
// # The app
//
// An [Authorizer] decides what a client may do beyond the rules of the configuration. A
// [Guard] in front of it limits how many questions the app gets. If there is no answer,
// the guard allows nothing.
//
// # Concurrency
//
// Several goroutines may use a verifier, a guard or [Revocations] at once. A verifier
// with a key set has one goroutine that fetches the set, from Start until the end of
// its context, and one more while a fetch is under way. The others start none.
package auth
