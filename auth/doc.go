// Package auth finds out who a caller is from a signed token (JWT, RFC 7519), under
// the rules of RFC 8725, and remembers which tokens were revoked.
//
// A [Verifier] has exactly one kind of key: a shared secret, a public key, or a set
// of public keys at a URL of the configuration. The kind of key decides which
// algorithms are accepted; nothing in a token does. Header fields that name or
// carry keys (jku, x5u, jwk) are ignored, and kid only selects among the keys of
// the set.
//
// An [Authorizer] is the application's own word about what a client may do. A
// [Guard] in front of it bounds what that costs, and fails closed.
//
// Tokens are never logged and never part of an error.
//
// Verifiers, guards and [Revocations] may be used by several goroutines at once. A verifier
// with a key set runs one goroutine between Start and the end of its context.
package auth
