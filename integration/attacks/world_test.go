package attacks

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// patience is how long anything may take that has to happen. It only decides how
// long a failing test takes.
const patience = 30 * time.Second

// appKey is the API key of the site, which names it as {env.REALTIME_TEST_KEY}.
const appKey = "k3y-of-the-App-0123456789abcdef"

// narrowKey is an API key of the site that may publish to some channels and no more. It
// is {env.REALTIME_TEST_NARROW_KEY}.
const narrowKey = "narrow-k3y-0123456789abcdef"

// caddyfile has a site for each way to find out who is calling, and one for each
// kind of limit, each with a hub of its own.
const sites = `
{
	admin {{admin}}
	servers {
		protocols h1 h2c
	}
	log audit {
		output net AUDIT
		format json
		level DEBUG
	}
}
http://{{site}} {
	log
	realtime /rt {
		hub site
		api_key {env.REALTIME_TEST_KEY}
		api_key {env.REALTIME_TEST_NARROW_KEY} {
			publish open:keys
		}
		user {http.request.header.X-User} # stands for whatever the tests need
		room open:* {
			subscribe anyone
			publish anyone
			history 20
		}
		room plain:* {
			subscribe anyone
			publish anyone
		}
		room team:* {
			publish users
		}
		room lobby:* {
			subscribe anyone
			publish anyone
			presence
		}
		room private:* {
			subscribe anyone
			publish anyone
			history 20
			presence
		}
		room hidden:* {
			subscribe anyone
			publish anyone
			presence {
				visible server
			}
		}
		room inbox:{user} {
			publish users
			history 20
		}
		room board:* {
			subscribe anyone
			publish anyone
			document
		}
		room markup:* {
			publish anyone
			sanitize html
		}
		room rich:* {
			subscribe anyone
			publish anyone
			schema RICHTEXT
		}
		room twins:* {
			subscribe anyone
			publish anyone
			schema TWINS
			document {
				depth 60
			}
		}
		room full:* {
			subscribe anyone
			publish anyone
			total_rate 1/s 20
		}
		room neighbours:* {
			subscribe anyone
			publish anyone
		}
	}
	respond "the app"
}
http://{{basic}} {
	basic_auth {
		alice HASH
	}
	realtime /rt {
		hub basic
		user {http.auth.user.id}
		room inbox:{user} {
			publish users
		}
	}
}
http://{{listed}} {
	realtime /rt {
		hub listed
		origins https://app.example.com https://*.wild.example https://port.example:8443
		room open:* {
			subscribe anyone
			publish anyone
		}
	}
}
http://{{believing}} {
	realtime /rt {
		hub believing
		user {http.request.header.Remote-User}
		room open:*
	}
}
http://{{stripped}} {
	request_header -Remote-User
	realtime /rt {
		hub stripped
		user {http.request.header.Remote-User}
		room open:*
	}
}
http://{{forwarded}} {
	forward_auth {{auth}} {
		uri /
		copy_headers Remote-User
	}
	realtime /rt {
		hub forwarded
		user {http.request.header.Remote-User}
		room open:*
	}
}
http://{{auth}} {
	@alice header X-Session alice
	header @alice Remote-User alice
	respond 204
}
http://{{tokens}} {
	realtime /rt {
		hub tokens
		token {
			hmac {env.REALTIME_TEST_SECRET}
			issuer https://issuer.example
			audience chat
		}
		room open:* {
			subscribe anyone
		}
		room inbox:{user} {
			publish users
		}
		room team:{claim.team} {
			publish users
		}
		room granted:* {
			subscribe granted
			publish granted
		}
	}
}
http://{{required}} {
	realtime /rt {
		hub required
		token {
			public_key {env.REALTIME_TEST_KEY_FILE}
			required
			deadline 3s
		}
		room open:* {
			subscribe anyone
		}
	}
}
http://{{asked}} {
	realtime /rt {
		hub asked
		authorize {
			@alice header Cookie session=alice
			@broken header Cookie session=broken
			@moved header Cookie session=moved
			@garbled header Cookie session=garbled
			@control header Cookie session=control
			@secret {
				query action=publish
				not query channel=open
			}
			header Content-Type application/json
			respond @secret 403
			respond @alice "{\"user\":\"alice\"}"
			respond @broken 500
			redir @moved /
			respond @garbled "{\"user\":"
			respond @control "{\"user\":\"al\u0000ice\"}"
			respond 403
		}
		room * {
			subscribe anyone
			publish anyone
		}
	}
}
http://NAMELESS {
	bind 127.0.0.1
	realtime /rt {
		hub nameless
		api_key {env.REALTIME_TEST_KEY}
		room open:* {
			subscribe anyone
			publish anyone
			history 20
		}
	}
}
http://{{pathed}} {
	realtime /rt {
		hub pathed
		authorize {
			on publish
			rewrite /check/{realtime.channel}
			reverse_proxy {{judge}}
		}
		room * {
			publish anyone
		}
	}
}
http://{{judge}} {
	@yes path /check/open /admin
	respond @yes 200
	respond 403
}
http://{{rush}} {
	realtime /rt {
		hub rush
		heartbeat 5m 5m
		limits {
			connections_per_ip 3
			handshakes 5/s 5
		}
		room open:*
	}
}
http://{{doors}} {
	realtime /rt {
		hub doors
		limits {
			handshakes 20/s 20
			handshakes_per_ip 2/s 4
		}
		room open:*
	}
}
http://{{slow}} {
	realtime /rt {
		hub slow
		api_key {env.REALTIME_TEST_KEY}
		authorize {
			reverse_proxy SLOWAPP
		}
		room open:*
	}
}
http://{{crowd}} {
	realtime /rt {
		hub crowd
		heartbeat 5m 5m # those who are served say nothing meanwhile
		limits {
			connections_per_ip 100
		}
		room open:* {
			subscribe anyone
			publish anyone
		}
	}
}
http://{{long}} {
	realtime /rt {
		hub long
		room open:* {
			subscribe anyone
			publish anyone
			history 1000
		}
	}
}
http://{{charged}} {
	realtime /rt {
		hub charged
		limits {
			rate 20/s 40
		}
		room open:* {
			subscribe anyone
		}
	}
}
http://{{many}} {
	realtime /rt {
		hub many
		api_key {env.REALTIME_TEST_KEY}
		limits {
			history_memory 4MiB
		}
		room open:* {
			subscribe anyone
			publish anyone
			history 10
		}
	}
}
http://{{shelf}} {
	realtime /rt {
		hub shelf
		api_key {env.REALTIME_TEST_KEY}
		user {http.request.header.X-User}
		limits {
			document_memory 32MiB 4MiB
		}
		room doc:* {
			subscribe anyone
			publish anyone
			document
		}
	}
}
`

// world is the Caddy that is attacked. It is a process of its own, so that what it
// takes of the machine is not mixed with what the attackers take.
type world struct {
	gauge *gauge

	site, basic, listed            target
	believing, stripped, forwarded target
	tokens, required, asked, rush  target
	pathed, nameless               target
	crowd, many, shelf, long       target
	charged                        target
	admin                          target // for looking into the process
	doors, slow                    target
	app                            *slowApp // of the site slow

	publicKey string // of the site required, as its file has it
}

// target is the address of a site.
type target string

func startWorld(t *testing.T) *world {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	keyFile, publicKey := writeKey(t)
	nameless, app := freeAddr(t), startSlowApp(t)
	text := strings.NewReplacer(
		"NAMELESS", strings.TrimPrefix(nameless, "127.0.0.1"), "HASH", string(hash), "AUDIT", listenAudit(t),
		"RICHTEXT", "`"+richText+"`", "TWINS", "`"+twinText+"`", "SLOWAPP", app.address,
	).Replace(sites)
	p := integration.StartProcess(t, text, // and its environment
		"REALTIME_TEST_KEY="+appKey,
		"REALTIME_TEST_NARROW_KEY="+narrowKey,
		"REALTIME_TEST_SECRET="+secret,
		"REALTIME_TEST_KEY_FILE="+keyFile,
	)
	at := func(word string) target { return target(p.Addr(word)) }
	return &world{
		gauge: newGauge(t, p, at("site"), at("admin")),
		site:  at("site"), basic: at("basic"), listed: at("listed"),
		believing: at("believing"), stripped: at("stripped"), forwarded: at("forwarded"),
		tokens: at("tokens"), required: at("required"), asked: at("asked"), rush: at("rush"),
		pathed: at("pathed"), nameless: target(nameless),
		crowd: at("crowd"), many: at("many"), shelf: at("shelf"), long: at("long"), charged: at("charged"), admin: at("admin"),
		doors: at("doors"), slow: at("slow"), app: app,
		publicKey: publicKey,
	}
}

// freeAddr is an address for a site that is written without its host.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// writeKey makes the file of a public key that nobody has the other half of.
func writeKey(t *testing.T) (file, text string) {
	t.Helper()
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	text = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	file = filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, text
}

// own is the origin of the site itself.
func (s target) own() string { return "http://" + string(s) }

// dial opens a connection, which ends with the test.
func (s target) dial(t testing.TB) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", string(s), patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	return conn
}
