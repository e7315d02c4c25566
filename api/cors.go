package api

import "net/http"

// allowOrigin lets pages of an origin read the answer. What may be read and sent
// beside the ordinary is listed, since a wildcard does not hold for requests with
// cookies.
func allowOrigin(h http.Header, origin string) {
	if origin == "" {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "Retry-After")
	if origin != "*" {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	h.Add("Vary", "Origin") // the next one may get another answer
}

// preflight answers a browser that asks what a page may send, and anybody else who
// asks what there is.
func (c *call) preflight(here []route) {
	methods := allow(here)
	h := c.w.Header()
	h.Set("Allow", methods)
	if c.o.AllowOrigin != "" {
		h.Set("Access-Control-Allow-Methods", methods)
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key")
		h.Set("Access-Control-Max-Age", "600") // seconds
	}
	c.w.WriteHeader(http.StatusNoContent)
}
