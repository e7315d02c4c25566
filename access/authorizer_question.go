package access

import (
	"net/http"
	"net/url"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/internal/askapp"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// question makes the question a request to the app.
func question(q auth.Question) (askapp.Request, error) {
	client, err := askapp.Decode(q.Handshake)
	if err != nil {
		return askapp.Request{}, err
	}
	action := q.Action.String()
	query := url.Values{"action": {action}}
	h := http.Header{"Accept": {"application/json"}, "X-Realtime-Action": {action}}
	add := func(name, header, value string) {
		if value != "" {
			query.Set(name, value)
			h.Set(header, value)
		}
	}
	add("channel", "X-Realtime-Channel", q.Channel)
	add("user", "X-Realtime-User", q.User)
	values := map[string]string{"action": action, "channel": q.Channel, "user": q.User}
	return askapp.Request{Query: query, Header: h, Client: client, Values: values}, nil
}

// maxHandshake bounds what is kept for each connection, in bytes. Caddy itself
// accepts headers of a megabyte.
const maxHandshake = 16 << 10

// keep returns the handshake in the form for [auth.Question].
func keep(r *http.Request) (string, *protocol.Error) {
	ip := ""
	if addr := ClientIP(r); addr.IsValid() {
		ip = addr.String()
	}
	text, err := askapp.ClientOf(r, ip, scheme(r) == "https").Encode()
	if err != nil {
		return "", protocol.AsError(err)
	}
	if len(text) > maxHandshake {
		return "", protocol.Errorf(protocol.TooLarge, "the headers Cookie and Authorization, with the variables of the site, are larger than %d bytes", maxHandshake)
	}
	return text, nil
}
