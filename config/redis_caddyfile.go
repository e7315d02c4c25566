package config

import (
	"fmt"
	"strconv"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
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
func parseRedis(d *caddyfile.Dispenser, args []string, c *Hub) error {
	c.Redis = &Redis{Addresses: args}
	if err := redisOptions.ParseBlock(d, "redis", c.Redis); err != nil {
		return err
	}
	return c.Redis.check()
}

var redisOptions = block.Options[*Redis]{
	"sentinel": {Syntax: "<master-name> [{ … }]", Min: 1, Max: 1, Block: true, Inside: redisSentinelOptions, Parse: parseRedisSentinel},
	"cluster":  {Syntax: "[<partitions>]", Max: 1, Parse: parseRedisCluster},
	"username": block.Text("<name>", func(c *Redis) *string { return &c.Username }),
	"password": block.Text("<password>", func(c *Redis) *string { return &c.Password }),
	"database": {Syntax: "<n>", Min: 1, Max: 1, Parse: parseDatabase},
	"prefix":   block.Text("<prefix>", func(c *Redis) *string { return &c.Prefix }),
	"tls":      {Syntax: "[{ … }]", Block: true, Inside: redisTLSOptions, Parse: parseRedisTLS},
}

func parseRedisSentinel(d *caddyfile.Dispenser, args []string, c *Redis) error {
	c.Sentinel = &RedisSentinel{Master: args[0]}
	return redisSentinelOptions.ParseBlock(d, "sentinel", c.Sentinel)
}

var redisSentinelOptions = block.Options[*RedisSentinel]{
	"username": block.Text("<name>", func(c *RedisSentinel) *string { return &c.Username }),
	"password": block.Text("<password>", func(c *RedisSentinel) *string { return &c.Password }),
}

func parseRedisCluster(_ *caddyfile.Dispenser, args []string, c *Redis) error {
	c.Cluster = new(RedisCluster)
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

func parseDatabase(_ *caddyfile.Dispenser, args []string, c *Redis) error {
	n, err := strconv.ParseUint(args[0], 10, 16)
	if err != nil {
		return fmt.Errorf("'%s' is not the number of a database", args[0])
	}
	c.Database = int(n)
	return nil
}

func parseRedisTLS(d *caddyfile.Dispenser, _ []string, c *Redis) error {
	c.TLS = new(RedisTLS)
	return redisTLSOptions.ParseBlock(d, "tls", c.TLS)
}

var redisTLSOptions = block.Options[*RedisTLS]{
	"ca":          block.Text("<file>", func(c *RedisTLS) *string { return &c.CA }),
	"cert":        block.Text("<file>", func(c *RedisTLS) *string { return &c.Cert }),
	"key":         block.Text("<file>", func(c *RedisTLS) *string { return &c.Key }),
	"server_name": block.Text("<name>", func(c *RedisTLS) *string { return &c.ServerName }),
}
