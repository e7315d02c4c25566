package config

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// ParseTurn reads
//
//	turn {
//		uri    <uri>…
//		secret <secret>
//		ttl    <duration>
//		anyone
//	}
//
// uri may be repeated. Placeholders stay as they are, so that no secret gets into the adapted
// configuration.
func ParseTurn(d *caddyfile.Dispenser) (*Turn, error) {
	c := new(Turn)
	if err := TurnOptions.ParseBlock(d, "turn", c); err != nil {
		return nil, err
	}
	return c, c.Check()
}

// TurnOptions are the options of `turn`.
var TurnOptions = block.Options[*Turn]{
	"uri":    {Syntax: "<uri>…", Min: 1, Max: -1, Repeat: true, Parse: parseTurnURIs},
	"secret": block.Text("<secret>", func(c *Turn) *string { return &c.Secret }),
	"ttl":    block.Duration(func(c *Turn) *caddy.Duration { return &c.TTL }),
	"anyone": {Parse: func(_ *caddyfile.Dispenser, _ []string, c *Turn) error { c.Anyone = true; return nil }},
}

func parseTurnURIs(_ *caddyfile.Dispenser, args []string, c *Turn) error {
	for _, uri := range args {
		if err := checkTurnURI(uri); err != nil {
			return err
		}
	}
	c.URIs = append(c.URIs, args...)
	return nil
}
