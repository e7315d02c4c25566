package integration

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/crypto/bcrypt"
)

// TestUserAndInfo looks at what the others see of a user of basic_auth.
func TestUserAndInfo(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	c := Start(t, `
		http://{{site}} {
			realtime {
				user {http.auth.user.id}
				info {
					name {http.auth.user.id}
					color {http.request.header.X-Color}
					nothing {http.auth.user.nothing}
				}
				room hall {
					presence
				}
			}
			basic_auth {
				ann `+string(hash)+`
			}
		}
	`)
	r, _ := http.NewRequest(http.MethodGet, "/", nil)
	r.SetBasicAuth("ann", "secret")
	r.Header.Set("X-Color", `"red"`)
	ws, _, err := websocket.DefaultDialer.Dial("ws://"+c.Addr("site")+"/realtime", r.Header)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	expect(t, ws, `"user":"ann"`)
	send(t, ws, `{"type":"subscribe","payload":{"channel":"hall"}}`)
	expect(t, ws, `"info":{"ann":{"color":"\"red\"","name":"ann"}}`)
}

// TestForwardAuth makes sure that a client can not say itself who it is, where a
// header of the sign-in service says it.
func TestForwardAuth(t *testing.T) {
	c := Start(t, `
		http://{{site}} {
			forward_auth {{service}} {
				uri /check
				copy_headers Remote-User
			}
			realtime {
				user {http.request.header.Remote-User}
				room inbox:{user} {
					publish users
				}
			}
		}
		http://{{service}} {
			@refused header Cookie session=old
			respond @refused 401
			@ann header Cookie session=ann
			header @ann Remote-User ann
			respond 200
		}
	`)
	for _, test := range []struct {
		name, cookie, header, channel string
		status                        int
	}{
		{"the user", "session=ann", "", "inbox:ann", 200},
		{"another's channel", "session=ann", "", "inbox:bob", 403},
		{"a claim to be another", "session=ann", "bob", "inbox:bob", 403},
		{"a claim of an anonymous client", "", "bob", "inbox:bob", 401},
		{"refused by the service", "session=old", "bob", "inbox:bob", 401},
	} {
		url := "http://" + c.Addr("site") + "/realtime/channels/" + test.channel + "/messages"
		res, text := request(t, "POST", url, `{"content": 1}`, "Cookie", test.cookie, "Remote-User", test.header)
		if res.StatusCode != test.status {
			t.Errorf("%s: %d %s", test.name, res.StatusCode, text)
		}
	}
}

// TestClientCertificate takes the subject of a certificate for the user.
func TestClientCertificate(t *testing.T) {
	a := newAuthority(t)
	server := a.sign("localhost")
	c := Start(t, "http://{{site}}")
	host := "localhost" + strings.TrimPrefix(c.Addr("site"), "127.0.0.1") // a certificate is chosen by name
	c.Reload(`
		https://` + host + ` {
			tls ` + a.file("server.pem", "CERTIFICATE", server.Certificate[0]) + ` ` + a.keyFile() + ` {
				client_auth {
					mode verify_if_given
					trust_pool file ` + a.file("ca.pem", "CERTIFICATE", a.root.Raw) + `
				}
			}
			realtime {
				user {http.request.tls.client.subject}
				room hall
			}
		}
	`)
	roots := x509.NewCertPool()
	roots.AddCert(a.root)
	for user, certificates := range map[string][]tls.Certificate{`"user":"CN=ann"`: {a.sign("ann")}, "": nil} {
		dialer := websocket.Dialer{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: certificates}}
		ws, _, err := dialer.Dial("wss://"+host+"/realtime", nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = ws.Close() })
		_, frame, err := ws.ReadMessage()
		if err != nil || !strings.Contains(string(frame), user) || strings.Contains(string(frame), `"user"`) != (user != "") {
			t.Errorf("%s, %v, not %s", frame, err, user)
		}
	}
}

// authority signs certificates, all of them with and for one key.
type authority struct {
	t      *testing.T
	dir    string
	key    *ecdsa.PrivateKey
	root   *x509.Certificate
	serial int64
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{t: t, dir: t.TempDir(), key: key}
	root := a.template("authority")
	root.IsCA, root.KeyUsage = true, x509.KeyUsageCertSign
	if a.root, err = x509.ParseCertificate(a.create(root, root)); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *authority) template(name string) *x509.Certificate {
	a.serial++
	return &x509.Certificate{
		SerialNumber: big.NewInt(a.serial), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
	}
}

func (a *authority) create(template, parent *x509.Certificate) []byte {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, a.key.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return der
}

func (a *authority) sign(name string) tls.Certificate {
	a.t.Helper()
	return tls.Certificate{Certificate: [][]byte{a.create(a.template(name), a.root)}, PrivateKey: a.key}
}

func (a *authority) file(name, kind string, der []byte) string {
	a.t.Helper()
	path := filepath.Join(a.dir, name)
	write(a.t, path, string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
	return path
}

func (a *authority) keyFile() string {
	a.t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.file("key.pem", "PRIVATE KEY", der)
}

// TestKeyScopes publishes and manages with keys that may not do everything.
func TestKeyScopes(t *testing.T) {
	t.Setenv("REALTIME_TEST_NEWS", "news-key")
	t.Setenv("REALTIME_TEST_ADMIN", "admin-key")
	const site = `
		http://{{site}} {
			realtime {
				api_key {env.REALTIME_TEST_NEWS} {
					publish news:*
				}
				api_key {env.REALTIME_TEST_ADMIN} {
					history *
					manage
				}
				room * {
					history 10
				}
			}
		}
	`
	c := Start(t, site)
	base := "http://" + c.Addr("site") + "/realtime"
	for _, test := range []struct {
		key, method, path string
		status            int
	}{
		{"news-key", "POST", "/channels/news:1/messages", 200},
		{"news-key", "POST", "/channels/alerts/messages", 403},
		{"news-key", "GET", "/channels/news:1/messages", 403},
		{"news-key", "GET", "/channels", 403},
		{"news-key", "DELETE", "/users/ann/connections", 403},
		{"admin-key", "POST", "/channels/news:1/messages", 403},
		{"admin-key", "GET", "/channels/news:1/messages", 200},
		{"admin-key", "GET", "/channels", 200},
		{"admin-key", "DELETE", "/users/ann/connections", 200},
		{"other-key", "GET", "/channels", 401},
	} {
		body := ""
		if test.method == "POST" {
			body = `{"content": 1}`
		}
		res, text := request(t, test.method, base+test.path, body, "Authorization", "Bearer "+test.key, "Content-Type", "application/json")
		if res.StatusCode != test.status {
			t.Errorf("%s with %s %s: %d, want %d: %s", test.key, test.method, test.path, res.StatusCode, test.status, text)
		}
	}
	if _, text := request(t, "POST", base+"/publish", `[{"channels": ["news:1", "alerts"], "content": 1}]`, "Authorization", "Bearer news-key", "Content-Type", "application/json"); strings.Count(text, "FORBIDDEN") != 1 {
		t.Errorf("a list with a channel out of scope: %s", text)
	}
	t.Setenv("REALTIME_TEST_NEWS", "news-key ")
	if err := c.Load(site); err == nil || !strings.Contains(err.Error(), "white space") || strings.Contains(err.Error(), "news-key") {
		t.Errorf("a key that can not be sent: %v", err)
	}
}
