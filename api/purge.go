package api

import (
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// purge is DELETE /channels/{channel}/messages.
func purge(c *call) *protocol.Error {
	if e := c.appOnly(); e != nil {
		return e
	}
	if !c.o.Registry.Opens(c.name) {
		return protocol.NoRoom(c.name)
	}
	removed, top, err := c.o.Registry.Hub().Purge(c.patient(), c.name)
	if err != nil {
		return protocol.AsError(err)
	}
	answer := struct {
		Removed int    `json:"removed"`
		Epoch   string `json:"epoch,omitempty"`
		Offset  uint64 `json:"offset,omitempty"`
		Anchor  string `json:"anchor,omitempty"`
	}{Removed: removed, Epoch: top.Epoch, Offset: top.Offset}
	if top.Anchor != 0 {
		answer.Anchor = string(protocol.AppendAnchor(nil, top.Anchor))
	}
	return c.replyValue(answer)
}
