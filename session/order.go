package session

import (
	"encoding/json"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// order is what nodes tell each other to do. It has one of the members; one with
// none is of a newer version.
type order struct {
	Kick   *kick       `json:"kick,omitempty"`
	Revoke *revocation `json:"revoke,omitempty"`
}

// kick ends one connection, or those of a user.
type kick struct {
	User       string `json:"user,omitempty"`
	Connection string `json:"connection,omitempty"`
	Code       uint16 `json:"code"`
	Reason     string `json:"reason,omitempty"`
}

func (k *kick) reason() hub.Reason { return hub.Reason{Code: k.Code, Text: k.Reason} }

// revocation is an [auth.Revocation].
type revocation struct {
	User   string    `json:"user,omitempty"`
	ID     string    `json:"id,omitempty"`
	Before time.Time `json:"before,omitzero"`
	Until  time.Time `json:"until,omitzero"`
}

func (v *revocation) revocation() auth.Revocation { return auth.Revocation(*v) }

func (o order) encode() []byte {
	body, _ := json.Marshal(o) // texts, numbers and times, which always have a JSON form
	return body
}

func decodeOrder(body []byte) (o order, err error) {
	err = json.Unmarshal(body, &o)
	return o, err
}

// name makes a revocation a standing order; of two with the same subject the later
// one counts, as in [auth.Revocations].
func (v *revocation) name() string {
	name, _ := json.Marshal([2]string{v.User, v.ID})
	return string(name)
}
