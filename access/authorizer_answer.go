package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/internal/askapp"
)

// maxExpires is in the year 5138. What is more is a number of milliseconds, and would
// never come.
const maxExpires = 100_000_000_000

// answer reads what the app says beside yes.
func answer(a *askapp.Answer) (auth.Answer, error) {
	if !a.JSON() {
		return auth.Answer{}, nil // "ok", or a page, is a yes, too
	}
	if a.Long {
		return auth.Answer{}, fmt.Errorf("realtime: the answer to 'authorize' has more than %d bytes", maxAnswer)
	}
	var said struct {
		User     string          `json:"user"`
		Info     json.RawMessage `json:"info"`
		Channels []auth.Grant    `json:"channels"`
		Expires  int64           `json:"expires"` // seconds since 1970, as exp in a token
	}
	err := auth.CheckJSON(a.Body)
	if err == nil {
		err = json.Unmarshal(a.Body, &said)
	}
	if err != nil {
		return auth.Answer{}, fmt.Errorf("realtime: the answer to 'authorize' can not be read: %w", err)
	}
	yes := auth.Answer{User: said.User, Grants: said.Channels}
	switch {
	case len(said.Info) == 0, string(said.Info) == "null":
	case said.Info[0] == '{':
		yes.Info = said.Info
	default:
		return auth.Answer{}, errors.New("realtime: the answer to 'authorize' has an info that is not a JSON object")
	}
	if said.Expires > maxExpires {
		return auth.Answer{}, errors.New("realtime: the answer to 'authorize' has an 'expires' that is not in seconds since 1970")
	}
	if said.Expires != 0 {
		yes.Expires = time.Unix(said.Expires, 0)
	}
	return yes, nil
}
