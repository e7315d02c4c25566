// Package askapp asks the app behind the proxy by the directives of a block in the
// configuration, such as `reverse_proxy` or `php_fastcgi`. An [App] runs the routes of one
// block with requests of its own, which no client has sent.
//
//   - app.go: [App], and the counts of its requests
//   - run.go: the goroutine of a request, and what goes wrong there
//   - request.go: [Request], and how it becomes one of net/http
//   - client.go: [Client], what is kept of a client's request
//   - answer.go: [Answer], and what is read of it
//   - paths.go: values that clients choose, in the paths of rewrites
//
// It imports Caddy and knows nothing of channels, tokens and sessions: its callers say what
// is asked and what an answer means.
package askapp
