package api

import (
	"net/http"
	"strconv"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// validOffset checks an offset in a path.
func validOffset(s string) *protocol.Error {
	if n, err := strconv.ParseUint(s, 10, 64); err != nil || n == 0 {
		return protocol.Errorf(protocol.InvalidMessage, "the path names the offset %s; offsets are 1, 2, 3 …", protocol.Quote(s))
	}
	return nil
}

// redact is DELETE /channels/{channel}/messages/{offset}.
func redact(c *call) *protocol.Error {
	if e := c.appOnly(); e != nil {
		return e
	}
	if !c.o.Registry.Opens(c.name) {
		return protocol.NoRoom(c.name)
	}
	at := hub.Position{Epoch: c.r.URL.Query().Get("epoch")}
	at.Offset, _ = strconv.ParseUint(c.second, 10, 64) // checked by validOffset
	found, err := c.o.Registry.Hub().Redact(c.patient(), c.name, at)
	switch {
	case err != nil:
		return protocol.AsError(err)
	case !found:
		e := protocol.Errorf(protocol.InvalidMessage, "the history has no such message: it is too old, or of another epoch")
		e.HTTPStatus = http.StatusNotFound
		return e
	}
	return c.replyValue(struct {
		Offset uint64 `json:"offset"`
	}{at.Offset})
}
