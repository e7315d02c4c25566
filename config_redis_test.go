package realtime

import (
	"strings"
	"testing"
)

func TestRedisCompile(t *testing.T) {
	t.Setenv("REALTIME_PASSWORD", "secret")
	read := reads(map[string]string{"ca.pem": "nothing"})
	for name, tc := range map[string]struct {
		config *RedisConfig
		err    string
	}{
		"none":             {},
		"defaults":         {config: &RedisConfig{}},
		"password":         {config: &RedisConfig{Password: "{env.REALTIME_PASSWORD}"}},
		"no placeholder":   {&RedisConfig{Password: "{env.REALTIME_NOTHING}"}, "password: "},
		"address":          {&RedisConfig{Addresses: []string{"a:1", "{env.REALTIME_PASSWORD}"}}, "neither host:port"},
		"repeated":         {&RedisConfig{Addresses: []string{"a:1", "b:1", "a:1"}}, "repeated"},
		"sentinel":         {config: &RedisConfig{Addresses: []string{"a:1"}, Sentinel: &RedisSentinelConfig{Master: "m", Password: "{env.REALTIME_PASSWORD}"}}},
		"sentinel's name":  {&RedisConfig{Addresses: []string{"a:1"}, Sentinel: &RedisSentinelConfig{Master: "{env.REALTIME_NOTHING}"}}, "sentinel: "},
		"cluster":          {config: &RedisConfig{Cluster: new(RedisClusterConfig)}},
		"both":             {&RedisConfig{Addresses: []string{"a:1"}, Sentinel: &RedisSentinelConfig{Master: "m"}, Cluster: new(RedisClusterConfig)}, "either"},
		"partitions":       {&RedisConfig{Cluster: &RedisClusterConfig{Partitions: -1}}, "partitions"},
		"database":         {&RedisConfig{Database: -1}, "negative database"},
		"no such file":     {&RedisConfig{TLS: &RedisTLSConfig{CA: "none.pem"}}, "tls: open none.pem"},
		"no certificate":   {&RedisConfig{TLS: &RedisTLSConfig{CA: "ca.pem"}}, "tls: ca.pem: no certificate"},
		"key without cert": {&RedisConfig{TLS: &RedisTLSConfig{Key: "k"}}, "need each other"},
	} {
		s, err := tc.config.compile(read)
		switch {
		case tc.err == "" && err != nil, tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)):
			t.Errorf("%s: %v, want %q", name, err, tc.err)
		case err == nil && (s.redis != nil) != (tc.config != nil):
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestRedisPrefix(t *testing.T) {
	t.Parallel()
	for prefix, want := range map[string]map[string]string{
		"":   {defaultHub: "", "chat": "rt:chat:"},
		"x:": {defaultHub: "x:", "chat": "x:"},
	} {
		for hub, want := range want {
			s, err := (&RedisConfig{Prefix: prefix}).compile(reads(nil))
			if s.forHub(hub); err != nil || s.redis.Prefix != want {
				t.Errorf("prefix %q of hub %s: %q, %v", prefix, hub, s.redis.Prefix, err)
			}
		}
	}
}

// A running hub stays with what it was started with.
func TestRedisSame(t *testing.T) {
	t.Parallel()
	store := func(c *RedisConfig) store {
		s, err := c.compile(reads(nil))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := store(&RedisConfig{Addresses: []string{"a:1"}, TLS: &RedisTLSConfig{ServerName: "r"}})
	if !first.same(store(&RedisConfig{Addresses: []string{"a:1"}, TLS: &RedisTLSConfig{ServerName: "r"}})) || !store(nil).same(store(nil)) {
		t.Error("what was written again is not the same")
	}
	for _, other := range []*RedisConfig{nil, {}, {Addresses: []string{"b:1"}, TLS: &RedisTLSConfig{ServerName: "r"}}, {Addresses: []string{"a:1"}, TLS: &RedisTLSConfig{}},
		{Addresses: []string{"a:1", "b:1"}, TLS: &RedisTLSConfig{ServerName: "r"}},
		{Addresses: []string{"a:1"}, Cluster: new(RedisClusterConfig), TLS: &RedisTLSConfig{ServerName: "r"}},
	} {
		if first.same(store(other)) {
			t.Errorf("%+v is the same", other)
		}
	}
}
