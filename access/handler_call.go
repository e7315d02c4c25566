package access

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/internal/tally"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// callHandler is the block handle_call.
type callHandler struct{ handler }

var _ session.CallHandler = (*callHandler)(nil)

func newCallHandler(ctx caddy.Context, path string, c *config.HandleCall, calls *tally.Calls) (*callHandler, error) {
	settings, err := c.Compile()
	if err != nil {
		return nil, err
	}
	h := new(callHandler)
	h.handler, err = newHandler(ctx, "handle_call", path, "call", "method", settings, calls)
	return h, err
}

// callQuestion is the body of a request about a call.
type callQuestion struct {
	Method     string          `json:"method"`
	Params     json.RawMessage `json:"params,omitempty"`
	User       string          `json:"user,omitempty"`
	Connection string          `json:"connection,omitempty"`
}

// HandleCall implements [session.CallHandler]. An answer without a body is null.
func (h *callHandler) HandleCall(ctx context.Context, who session.Client, c protocol.Call) (json.RawMessage, error) {
	q := callQuestion{Method: c.Method, Params: c.Params, User: who.User, Connection: who.Connection}
	a, err := h.ask(ctx, who, map[string]string{"method": c.Method}, q, false)
	if err != nil {
		return nil, err
	}
	result, err := jsonBody(&a)
	if err == nil && result == nil {
		result = json.RawMessage("null")
	}
	if err != nil {
		return nil, fmt.Errorf("the call %s: %w", protocol.Quote(c.Method), err)
	}
	return result, nil
}
