package redis

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
	"github.com/caddy-realtime/caddy-realtime/internal/freeport"
	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

// roundTrip publishes with one node and receives with another.
func roundTrip(t *testing.T, o Options) {
	t.Helper()
	c := checker.New(checker.Options{})
	a, b := newNode(t, c, "a", o), newNode(t, c, "b", o)
	b.enter("room")
	if err := a.send(t.Context(), "room", `"1"`); err != nil {
		t.Fatal(err)
	}
	b.await(t, "the message arrives", func() bool { return b.last["room"].Offset == 1 })
}

func TestUnixSocket(t *testing.T) {
	t.Parallel()
	path := socket(t)
	startServer(t, "--unixsocket", path)
	roundTrip(t, Options{Address: path, Database: 3, Prefix: "other:"})
}

// Everything works with the rights that the documentation names, and nothing else is allowed.
func TestAccessList(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	s.do("acl", "setuser", "realtime", "on", ">secret", "resetchannels", "&rt:*", "~rt:*", "-@all",
		"+evalsha", "+eval", "+publish", "+subscribe", "+unsubscribe", "+ping", "+hello", "+auth", "+select",
		"+time", "+get", "+set", "+del", "+pexpire", "+persist", "+pexpireat", "+hget", "+hset", "+hmget", "+hdel", "+hincrby",
		"+rename", "+xadd", "+xrange", "+xrevrange", "+xtrim",
		"+sadd", "+srem", "+srandmember", "+scard", "+zadd", "+zrem", "+zscore", "+zcard", "+zrangebyscore", "+zrevrangebyscore", "+zrangebylex")
	o := Options{Address: s.Addr, Username: "realtime", Password: "secret", Lease: 300 * time.Millisecond}
	roundTrip(t, o)
	gone, stays := newMembers(t, o), newMembers(t, o)
	gone.setMember("room", "a", true)
	stays.setMember("room", "b", true)
	stays.setMember("room", "c", true)
	stays.setMember("room", "c", false)
	gone.Close()
	stays.awaitMembers("room", "b")
	b := open(t, Options{Address: s.Addr, Username: "realtime", Password: "wrong"}).Broker(newWitness(checker.New(checker.Options{}).Subscriber("")))
	defer b.Close()
	if _, err := b.History(t.Context(), "room", kept, hub.HistoryQuery{}); !errors.Is(err, hub.ErrUnavailable) {
		t.Errorf("with the wrong password: %v", err)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	cert, key, roots := certificate(t)
	addr := freeport.Addr(t)
	_, port, _ := net.SplitHostPort(addr)
	startServer(t, "--tls-port", port, "--port", "0", "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert, "--tls-auth-clients", "no")
	roundTrip(t, Options{Address: addr, TLS: &tls.Config{RootCAs: roots}})
}

// The servers of a cluster name each other, and the node uses TLS with all of them.
func TestClusterTLS(t *testing.T) {
	t.Parallel()
	cert, key, roots := certificate(t)
	cluster := redistest.StartCluster(t, 3, false, "--tls-port", redistest.FreePort, "--tls-cluster", "yes",
		"--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert, "--tls-auth-clients", "no")
	o := patientOptions("")
	o.Cluster, o.TLS = []string{cluster.TLSAddr()}, &tls.Config{RootCAs: roots}
	c := checker.New(checker.Options{})
	a, b := newNode(t, c, "a", o), newNode(t, c, "b", o)
	for r := range 30 {
		room := fmt.Sprint("room:", r)
		b.enter(room)
		if err := a.send(t.Context(), room, `"1"`); err != nil {
			t.Fatal(err)
		}
		b.await(t, "the message arrives", func() bool { return b.last[room].Offset == 1 })
	}
}

// certificate makes a certificate for 127.0.0.1 that signs itself.
func certificate(t *testing.T) (cert, key string, roots *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redis"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	der2, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := errors.Join(
		os.WriteFile(cert, text, 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der2}), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return cert, key, roots
}

// Redis may forget the scripts at any time.
func TestScriptsForgotten(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c := checker.New(checker.Options{})
	n := newNode(t, c, "node", quickOptions(s.Addr))
	n.enter("room")
	for _, id := range []string{`"1"`, `"2"`, `"3"`} {
		s.do("script", "flush")
		if err := n.send(t.Context(), "room", id); err != nil {
			t.Fatal(err)
		}
	}
	n.await(t, "all arrives", func() bool { return n.last["room"].Offset == 3 })
}

func TestOptionsCheck(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"database":      {Database: -1},
		"master":        {Sentinels: []string{"a:1"}},
		"prefix":        {Prefix: "{x}"},
		"two addresses": {Address: "/s", Sentinels: []string{"a:1"}, Master: "m"},
		"sentinel":      {Sentinels: []string{"/s"}, Master: "m"},
		"repeated":      {Shards: []string{"a:1", "b:1", "a:1"}},
		"empty":         {Shards: []string{"a:1", ""}},
		"both":          {Cluster: []string{"a:1"}, Sentinels: []string{"a:1"}, Master: "m"},
		"seed":          {Cluster: []string{"a"}},
		"partitions":    {Cluster: []string{"a:1"}, Partitions: 1025},
		"only database": {Cluster: []string{"a:1"}, Database: 1},
	} {
		if _, err := Open(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// The partitions of a cluster share the bound for remembered members.
func TestRememberedOfPartitions(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		o           Options
		most, bytes int
	}{
		{Options{}, 100_000, 64 << 20},
		{Options{Cluster: []string{"a:1"}}, 6250, 4 << 20},
		{Options{Cluster: []string{"a:1"}, Partitions: 1000}, 1000, 1 << 20},
	} {
		if most, bytes := test.o.withDefaults().rememberedBounds(); most != test.most || bytes != test.bytes {
			t.Errorf("%d partitions remember %d or %d bytes", test.o.Partitions, most, bytes)
		}
	}
}
