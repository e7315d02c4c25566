package caddyhost

import (
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
)

// AddToAccessLog adds a field to the line that Caddy's access log has for a request, if there
// is one.
func AddToAccessLog(r *http.Request, name, value string) {
	if extra, ok := r.Context().Value(caddyhttp.ExtraLogFieldsCtxKey).(*caddyhttp.ExtraLogFields); ok {
		extra.Add(zap.String(name, value))
	}
}
