package engineio

import "net/http"

const (
	corsMaxAge = "600"
	// maxAsked bounds the names of headers that a preflight gets back.
	maxAsked = 1 << 10
)

// openCORS lets a page of an allowed origin read the answer, with its cookies: a load balancer may
// find the node of a session by one. The origin is echoed, because browsers reject * then.
func openCORS(w http.ResponseWriter, r *http.Request, allowed bool) {
	h, origin := w.Header(), r.Header.Get("Origin")
	h.Add("Vary", "Origin")
	if allowed && origin != "" {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
	}
}

// answerPreflight lets a page send what clients send: polls with the headers that its application has added.
func answerPreflight(w http.ResponseWriter, r *http.Request, allowed bool) {
	h := w.Header()
	if asked := r.Header.Get("Access-Control-Request-Headers"); allowed && len(asked) <= maxAsked {
		h.Set("Access-Control-Allow-Methods", "GET, POST")
		h.Set("Access-Control-Max-Age", corsMaxAge)
		if asked == "" {
			asked = "content-type"
		}
		h.Set("Access-Control-Allow-Headers", asked)
	}
	w.WriteHeader(http.StatusNoContent)
}
