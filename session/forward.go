package session

import (
	"encoding/json"
	"errors"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// forwarded is what another node hands to this one. It has one of the fields. One without any is of a newer
// version.
type forwarded struct {
	Presence *streamUpdate `json:"presence,omitempty"`
}

var errForwarded = errors.New("session: what another node has forwarded is not known")

// Forwarded implements [hub.Receiver].
func (r *Registry) Forwarded(body []byte) ([]byte, error) {
	var f forwarded
	if err := json.Unmarshal(body, &f); err != nil {
		return nil, err
	}
	if f.Presence == nil {
		return nil, errForwarded
	}
	var reply forwardReply
	if e := r.Streams.update(*f.Presence); e != nil {
		reply = forwardReply{e.Code, e.Message, e.RetryAfter.Milliseconds()}
	}
	return json.Marshal(reply)
}

var _ hub.Receiver = (*Registry)(nil)
