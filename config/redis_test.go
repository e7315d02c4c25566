package config

import (
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/node"
)

func TestRedisCompile(t *testing.T) {
	t.Setenv("REALTIME_PASSWORD", "secret")
	read := reads(map[string]string{"ca.pem": "nothing"})
	for name, tc := range map[string]struct {
		config *Redis
		err    string
	}{
		"none":             {},
		"defaults":         {config: &Redis{}},
		"password":         {config: &Redis{Password: "{env.REALTIME_PASSWORD}"}},
		"no placeholder":   {&Redis{Password: "{env.REALTIME_NOTHING}"}, "password: "},
		"address":          {&Redis{Addresses: []string{"a:1", "{env.REALTIME_PASSWORD}"}}, "neither host:port"},
		"repeated":         {&Redis{Addresses: []string{"a:1", "b:1", "a:1"}}, "repeated"},
		"sentinel":         {config: &Redis{Addresses: []string{"a:1"}, Sentinel: &RedisSentinel{Master: "m", Password: "{env.REALTIME_PASSWORD}"}}},
		"sentinel's name":  {&Redis{Addresses: []string{"a:1"}, Sentinel: &RedisSentinel{Master: "{env.REALTIME_NOTHING}"}}, "sentinel: "},
		"cluster":          {config: &Redis{Cluster: new(RedisCluster)}},
		"both":             {&Redis{Addresses: []string{"a:1"}, Sentinel: &RedisSentinel{Master: "m"}, Cluster: new(RedisCluster)}, "either"},
		"partitions":       {&Redis{Cluster: &RedisCluster{Partitions: -1}}, "partitions"},
		"database":         {&Redis{Database: -1}, "negative database"},
		"no such file":     {&Redis{TLS: &RedisTLS{CA: "none.pem"}}, "tls: open none.pem"},
		"no certificate":   {&Redis{TLS: &RedisTLS{CA: "ca.pem"}}, "tls: ca.pem: no certificate"},
		"key without cert": {&Redis{TLS: &RedisTLS{Key: "k"}}, "need each other"},
	} {
		s, err := tc.config.compile(read)
		switch {
		case tc.err == "" && err != nil, tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)):
			t.Errorf("%s: %v, want %q", name, err, tc.err)
		case err == nil && (s.Redis != nil) != (tc.config != nil):
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestRedisPrefix(t *testing.T) {
	t.Parallel()
	for prefix, want := range map[string]map[string]string{
		"":   {DefaultHub: "", "chat": "rt:chat:"},
		"x:": {DefaultHub: "x:", "chat": "x:"},
	} {
		for hub, want := range want {
			store, err := (&Redis{Prefix: prefix}).compile(reads(nil))
			s := &node.Settings{Store: store}
			if SetHub(s, hub); err != nil || s.Store.Redis.Prefix != want {
				t.Errorf("prefix %q of hub %s: %q, %v", prefix, hub, s.Store.Redis.Prefix, err)
			}
		}
	}
}

// A running hub stays with what it was started with.
func TestRedisSame(t *testing.T) {
	t.Parallel()
	store := func(c *Redis) node.Store {
		s, err := c.compile(reads(nil))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := store(&Redis{Addresses: []string{"a:1"}, TLS: &RedisTLS{ServerName: "r"}})
	if !first.Same(store(&Redis{Addresses: []string{"a:1"}, TLS: &RedisTLS{ServerName: "r"}})) || !store(nil).Same(store(nil)) {
		t.Error("what was written again is not the same")
	}
	for _, other := range []*Redis{nil, {}, {Addresses: []string{"b:1"}, TLS: &RedisTLS{ServerName: "r"}}, {Addresses: []string{"a:1"}, TLS: &RedisTLS{}},
		{Addresses: []string{"a:1", "b:1"}, TLS: &RedisTLS{ServerName: "r"}},
		{Addresses: []string{"a:1"}, Cluster: new(RedisCluster), TLS: &RedisTLS{ServerName: "r"}},
	} {
		if first.Same(store(other)) {
			t.Errorf("%+v is the same", other)
		}
	}
}
