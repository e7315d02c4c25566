package askapp

import (
	"encoding/json"
	"net"
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// Client is what is kept of the request that opened a connection, for the requests to the
// app that come up while the connection lives.
type Client struct {
	Host, IP              string
	TLS                   bool
	Cookie, Authorization []string `json:",omitempty"`
	// Vars are those of the site, such as `root`.
	Vars map[string]any `json:",omitempty"`
}

// ClientOf returns what is kept of a request. ip is the address of the client, empty if it
// has none. The same client has the same value on each of its connections, so that it has no
// port.
func ClientOf(r *http.Request, ip string, secure bool) Client {
	return Client{
		Host: r.Host, IP: ip, TLS: secure,
		Cookie: r.Header.Values("Cookie"), Authorization: r.Header.Values("Authorization"),
		Vars: siteVars(r),
	}
}

// Encode returns the client as a text, which [Decode] reads. Equal clients have equal texts.
func (c Client) Encode() (string, error) {
	text, err := json.Marshal(c)
	return string(text), err
}

// Decode reads what [Client.Encode] has written.
func Decode(text string) (c Client, err error) {
	err = json.Unmarshal([]byte(text), &c)
	return c, err
}

// siteVars are what `root`, `fs` and `vars` have set for a request: texts, numbers and
// words. What Caddy itself has set is about the request, and it sets that anew.
func siteVars(r *http.Request) map[string]any {
	all, _ := r.Context().Value(caddyhttp.VarsCtxKey).(map[string]any)
	vars := make(map[string]any)
	for name, value := range all {
		switch value.(type) {
		case string, bool, int, int64, float64:
			vars[name] = value
		}
	}
	delete(vars, caddyhttp.TrustedProxyVarKey)
	delete(vars, caddyhttp.ClientIPVarKey)
	return vars
}

// remote is the client's address as a request has it, which over a Unix socket is "@".
func (c *Client) remote() string {
	if c.IP == "" {
		return "@"
	}
	return net.JoinHostPort(c.IP, "0")
}
