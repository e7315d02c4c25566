package realtime

import (
	"fmt"
	"strconv"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// parseRedis reads
//
//	redis [<address>] [{
//		username <name>
//		password <password>
//		database <n>
//		prefix   <prefix>
//		tls [{
//			ca          <file>
//			cert        <file>
//			key         <file>
//			server_name <name>
//		}]
//	}]
//
// Placeholders stay as they are, so that no password gets into the adapted
// configuration.
func parseRedis(d *caddyfile.Dispenser, args []string, c *HubConfig) error {
	c.Redis = new(RedisConfig)
	if len(args) > 0 {
		c.Redis.Address = args[0]
	}
	if err := redisOptions.parseBlock(d, "redis", c.Redis); err != nil {
		return err
	}
	return c.Redis.check()
}

var redisOptions = options[*RedisConfig]{
	"username": text("<name>", func(c *RedisConfig) *string { return &c.Username }),
	"password": text("<password>", func(c *RedisConfig) *string { return &c.Password }),
	"database": {syntax: "<n>", min: 1, max: 1, parse: parseDatabase},
	"prefix":   text("<prefix>", func(c *RedisConfig) *string { return &c.Prefix }),
	"tls":      {syntax: "[{ … }]", block: true, parse: parseRedisTLS},
}

func parseDatabase(_ *caddyfile.Dispenser, args []string, c *RedisConfig) error {
	n, err := strconv.ParseUint(args[0], 10, 16)
	if err != nil {
		return fmt.Errorf("'%s' is not the number of a database", args[0])
	}
	c.Database = int(n)
	return nil
}

func parseRedisTLS(d *caddyfile.Dispenser, _ []string, c *RedisConfig) error {
	c.TLS = new(RedisTLSConfig)
	return redisTLSOptions.parseBlock(d, "tls", c.TLS)
}

var redisTLSOptions = options[*RedisTLSConfig]{
	"ca":          text("<file>", func(c *RedisTLSConfig) *string { return &c.CA }),
	"cert":        text("<file>", func(c *RedisTLSConfig) *string { return &c.Cert }),
	"key":         text("<file>", func(c *RedisTLSConfig) *string { return &c.Key }),
	"server_name": text("<name>", func(c *RedisTLSConfig) *string { return &c.ServerName }),
}
