// Package httpwriter looks behind the writers that middlewares put around the HTTP
// server's own one.
package httpwriter

import "net/http"

// Innermost returns the HTTP server's own writer, or the first writer that hides the one
// below it. A connection that is taken from there does not keep the writers around it
// alive, and with them the request.
func Innermost(w http.ResponseWriter) http.ResponseWriter {
	for {
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = u.Unwrap()
	}
}
