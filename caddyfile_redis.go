package realtime

import (
	"fmt"
	"strconv"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// parseRedis reads
//
//	redis <address>… [{
//		sentinel <master-name> [{
//			username <name>
//			password <password>
//		}]
//		cluster  [<partitions>]
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
	c.Redis = &RedisConfig{Addresses: args}
	if err := redisOptions.parseBlock(d, "redis", c.Redis); err != nil {
		return err
	}
	return c.Redis.check()
}

var redisOptions = options[*RedisConfig]{
	"sentinel": {syntax: "<master-name> [{ … }]", min: 1, max: 1, block: true, parse: parseRedisSentinel},
	"cluster":  {syntax: "[<partitions>]", max: 1, parse: parseRedisCluster},
	"username": text("<name>", func(c *RedisConfig) *string { return &c.Username }),
	"password": text("<password>", func(c *RedisConfig) *string { return &c.Password }),
	"database": {syntax: "<n>", min: 1, max: 1, parse: parseDatabase},
	"prefix":   text("<prefix>", func(c *RedisConfig) *string { return &c.Prefix }),
	"tls":      {syntax: "[{ … }]", block: true, parse: parseRedisTLS},
}

func parseRedisSentinel(d *caddyfile.Dispenser, args []string, c *RedisConfig) error {
	c.Sentinel = &RedisSentinelConfig{Master: args[0]}
	return redisSentinelOptions.parseBlock(d, "sentinel", c.Sentinel)
}

var redisSentinelOptions = options[*RedisSentinelConfig]{
	"username": text("<name>", func(c *RedisSentinelConfig) *string { return &c.Username }),
	"password": text("<password>", func(c *RedisSentinelConfig) *string { return &c.Password }),
}

func parseRedisCluster(_ *caddyfile.Dispenser, args []string, c *RedisConfig) error {
	c.Cluster = new(RedisClusterConfig)
	if len(args) == 0 {
		return nil
	}
	n, err := strconv.ParseUint(args[0], 10, 16)
	if err != nil || n == 0 {
		return fmt.Errorf("'%s' is not a number of partitions", args[0])
	}
	c.Cluster.Partitions = int(n)
	return nil
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
