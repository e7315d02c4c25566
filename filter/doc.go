// Package filter decides which messages of a room a subscription gets. A filter is an
// expression in CEL, the Common Expression Language, that gives a boolean. This is the only
// door to cel-go.
//
// # What an expression sees
//
//   - tags: what the publisher put beside the content, a map of strings, numbers and booleans.
//   - event: the app's name for the kind of message; empty if there is none.
//   - sender: who published it; empty for the app.
//   - content: the content as JSON.
//   - user, claim: who the subscriber is. Only filters of the configuration see them: a filter
//     of a client runs for that client alone, which knows its own user.
//
// All numbers are floating-point numbers. Claims are strings.
//
// # How it decides
//
// The answer of a filter is yes only if the expression gives true. False, a value of another
// type, a missing field, an error, and more work than the bound allows all mean no.
//
// # What it costs
//
// [Compile] bounds the length of an expression and its estimated cost, and each evaluation
// stops at a bound. So what a client sends can not keep a room busy. Equal expressions are
// compiled once, and a room evaluates equal filters with equal values once for a message:
// that is why a [Bound] is comparable.
//
// The package starts no goroutine and has one lock, around the cache of compiled filters.
package filter
