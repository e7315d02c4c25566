package attacks

import (
	"encoding/base64"
	"strings"
	"testing"
)

// attackOrigins are pages of other sites that act through the browser of a visitor,
// with the visitor's cookies and passwords.
func attackOrigins(w *world) (rows []attack) {
	for _, o := range foreign(w.site) {
		rows = append(rows, attack{"WebSocket, " + o.name, "403 FORBIDDEN", func(t *testing.T) string {
			return w.site.send(t, request{"GET", "/rt", handshake(o.header...), ""}).String()
		}})
	}
	rows = append(rows, rebound(w)...)
	return append(append(append(append(rows, crossSite(w)...), simplePosts(w)...), listedOrigins(w)...), preflights(w)...)
}

// rebound are requests of a page whose own name leads to a site without a name (DNS
// rebinding). To the
// browser it is the site itself.
func rebound(w *world) (rows []attack) {
	const evil = "http://evil.example"
	for _, r := range []struct {
		name, expect string
		request
	}{
		{"WebSocket", "403 FORBIDDEN", request{"GET", evil + "/rt", handshake("Origin: " + evil), ""}},
		{"event stream", "403 FORBIDDEN", request{"GET", evil + "/rt/sse?channel=open:1", []string{"Accept: text/event-stream"}, ""}},
		{"POST", "403 FORBIDDEN", request{"POST", evil + "/rt/channels/open:1/messages", []string{"Origin: " + evil, jsonType}, `{"content":1}`}},
		{"history", "403 FORBIDDEN", request{"GET", evil + "/rt/channels/open:1/messages", nil, ""}},
		{"the app with its key", "200", request{"GET", evil + "/rt/channels", []string{bearer(appKey)}, ""}},
		{"a local name", "200", request{"GET", "http://box.local/rt/channels/open:1/messages", nil, ""}},
	} {
		rows = append(rows, attack{"another name that leads here, " + r.name, r.expect, func(t *testing.T) string {
			return w.nameless.send(t, r.request).String()
		}})
	}
	return rows
}

type variant struct {
	name   string
	header []string
}

// foreign are requests of pages that are not the site's own.
func foreign(s target) []variant {
	host, port, _ := strings.Cut(string(s), ":")
	origin := func(name, o string) variant { return variant{name, []string{"Origin: " + o}} }
	return []variant{
		origin("foreign Origin", "https://evil.example"),
		origin("foreign Origin on the same port", "http://evil.example:"+port),
		origin("Origin null", "null"),
		origin("Origin empty", ""),
		origin("Origin without scheme", string(s)),
		origin("Origin with another scheme", "https://"+string(s)),
		origin("Origin of the default port", "http://"+host),
		origin("Origin of another port", "http://"+host+":1"),
		origin("Origin with the site as a subdomain", "http://"+string(s)+".evil.example"),
		origin("Origin with the site as a suffix", "http://evil"+string(s)),
		origin("Origin below the site", "http://x."+string(s)),
		origin("Origin with the site as user", "http://"+string(s)+"@evil.example"),
		origin("Origin with the site as path", "http://evil.example/"+string(s)),
		origin("Origin of a file", "file://"),
		origin("Origin of an extension", "chrome-extension://"+string(s)),
		{"two Origins, the own one first", []string{"Origin: " + s.own(), "Origin: https://evil.example"}},
		{"two Origins in one", []string{"Origin: " + s.own() + ", https://evil.example"}},
		{"no Origin, Sec-Fetch-Site: cross-site", []string{"Sec-Fetch-Site: cross-site"}},
		{"no Origin, Sec-Fetch-Site: same-site", []string{"Sec-Fetch-Site: same-site"}},
		{"foreign Origin, Sec-Fetch-Site: same-origin", []string{"Origin: https://evil.example", "Sec-Fetch-Site: same-origin"}},
		{"foreign Origin, X-Forwarded-Proto and -Host of it", []string{"Origin: https://evil.example", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example"}},
	}
}

// password is what a browser adds for a site with basic auth.
var password = "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("alice:secret"))

// crossSite are event streams, and the control: what the site's own pages and
// programs may.
func crossSite(w *world) []attack {
	stream := func(path string, header ...string) func(*testing.T) string {
		return func(t *testing.T) string {
			return w.site.send(t, request{"GET", "/rt" + path, header, ""}).String()
		}
	}
	events, evil := "Accept: text/event-stream", "Origin: https://evil.example"
	return []attack{
		{"WebSocket of the own page", "101", func(t *testing.T) string {
			return w.site.send(t, request{"GET", "/rt", handshake("Origin: " + w.site.own()), ""}).String()
		}},
		{"WebSocket of a program", "101", func(t *testing.T) string {
			return w.site.send(t, request{"GET", "/rt", handshake(), ""}).String()
		}},
		{"WebSocket with basic auth, foreign Origin", "403 FORBIDDEN", func(t *testing.T) string {
			return w.basic.send(t, request{"GET", "/rt", handshake(password, evil), ""}).String()
		}},
		{"stream, foreign Origin", "403 FORBIDDEN", stream("?channel=open:1", events, evil)},
		{"stream, Origin null", "403 FORBIDDEN", stream("?channel=open:1", events, "Origin: null")},
		{"stream, no Origin, Sec-Fetch-Site: cross-site", "403 FORBIDDEN", stream("?channel=open:1", events, "Sec-Fetch-Site: cross-site")},
		{"stream as an image, Sec-Fetch-Site: cross-site", "403 FORBIDDEN", stream("/sse?channel=open:1", "Accept: image/*", "Sec-Fetch-Site: cross-site")},
		{"stream, foreign Origin, with a cookie", "403 FORBIDDEN", stream("/sse?channel=open:1", events, evil, "Cookie: session=alice")},
		{"stream of the own page", "200", stream("?channel=open:1", events, "Sec-Fetch-Site: same-origin")},
	}
}

// simplePosts are what a page may send to anywhere without asking first.
func simplePosts(w *world) (rows []attack) {
	for _, body := range []struct{ kind, text string }{
		{"text/plain", `{"content":"forged"}`},
		{"text/plain; charset=utf-8", `{"content":"forged"}`},
		{"application/x-www-form-urlencoded", "content=forged"},
		{"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"content\"\r\n\r\nforged\r\n--x--\r\n"},
		{"", `{"content":"forged"}`},
	} {
		header := []string{password, "Cookie: session=alice", "Origin: https://evil.example", "Content-Type: " + body.kind}
		rows = append(rows, attack{"POST from a foreign page, " + body.kind, "403 FORBIDDEN", func(t *testing.T) string {
			return w.basic.send(t, post("inbox:alice", body.text, header...)).String()
		}})
	}
	evil := "Origin: https://evil.example"
	return append(rows,
		attack{"batch POST from a foreign page", "403 FORBIDDEN", func(t *testing.T) string {
			return w.basic.send(t, request{"POST", "/rt/publish", []string{password, evil, "Content-Type: text/plain"}, "[]"}).String()
		}},
		attack{"POST from a sandboxed frame", "403 FORBIDDEN", func(t *testing.T) string {
			return w.basic.send(t, post("inbox:alice", "x", password, "Origin: null")).String()
		}},
		attack{"form of the own page", "415", func(t *testing.T) string {
			return w.basic.send(t, post("inbox:alice", "content=x", password, "Origin: "+w.basic.own(), "Content-Type: application/x-www-form-urlencoded")).String()
		}},
		attack{"POST of the own page", "200", func(t *testing.T) string {
			return w.basic.send(t, post("inbox:alice", `{"content":1}`, password, "Origin: "+w.basic.own(), jsonType)).String()
		}},
	)
}

// listedOrigins are look-alikes of origins that were let in by name.
func listedOrigins(w *world) (rows []attack) {
	for _, o := range []struct{ origin, expect string }{
		{"https://app.example.com", "101"},
		{"HTTPS://APP.example.com:443", "101"},
		{"https://a.b.wild.example", "101"},
		{"https://port.example:8443", "101"},
		{"http://app.example.com", "403 FORBIDDEN"},
		{"https://app.example.com:444", "403 FORBIDDEN"},
		{"https://app.example.com.", "403 FORBIDDEN"},
		{"https://app-example.com", "403 FORBIDDEN"},
		{"https://app.example.com.evil.test", "403 FORBIDDEN"},
		{"https://evilapp.example.com", "403 FORBIDDEN"},
		{"https://wild.example", "403 FORBIDDEN"},
		{"https://.wild.example", "403 FORBIDDEN"},
		{"https://evilwild.example", "403 FORBIDDEN"},
		{"https://port.example", "403 FORBIDDEN"},
	} {
		rows = append(rows, attack{"allow list against " + o.origin, o.expect, func(t *testing.T) string {
			return w.listed.send(t, request{"GET", "/rt", handshake("Origin: " + o.origin), ""}).String()
		}})
	}
	return append(rows, attack{"allow list without the own origin, against that", "403 FORBIDDEN", func(t *testing.T) string {
		return w.listed.send(t, request{"GET", "/rt", handshake("Origin: " + w.listed.own()), ""}).String()
	}})
}

// preflights ask what a page may do. What counts is whether the browser of a
// visitor would let the page read the answer, or send the request.
func preflights(w *world) (rows []attack) {
	ask := func(t *testing.T, method, path, origin string) string {
		header := []string{"Origin: " + origin}
		if method == "OPTIONS" {
			header = append(header, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization,content-type")
		}
		a := w.listed.send(t, request{method, "/rt" + path, header, ""})
		switch allowed := a.header.Get("Access-Control-Allow-Origin"); {
		case allowed == "":
			return "closed"
		case allowed == origin && strings.Contains(strings.Join(a.header.Values("Vary"), ","), "Origin"):
			return "open"
		default:
			return "open to " + allowed
		}
	}
	for _, path := range []string{"/publish", "/channels/open:1/messages", "/sse", ""} {
		rows = append(rows, attack{"preflight for '" + path + "' from a foreign page", "closed", func(t *testing.T) string {
			return ask(t, "OPTIONS", path, "https://evil.example")
		}})
	}
	return append(rows,
		attack{"preflight from null", "closed", func(t *testing.T) string { return ask(t, "OPTIONS", "/publish", "null") }},
		attack{"preflight from a listed page", "open", func(t *testing.T) string { return ask(t, "OPTIONS", "/publish", "https://app.example.com") }},
		attack{"a foreign page reads history", "closed", func(t *testing.T) string {
			return ask(t, "GET", "/channels/open:1/messages", "https://evil.example")
		}},
		attack{"a foreign page reads an error", "closed", func(t *testing.T) string { return ask(t, "GET", "/nothing", "https://evil.example") }},
		attack{"a listed page reads history", "open", func(t *testing.T) string {
			return ask(t, "GET", "/channels/open:1/messages", "https://app.example.com")
		}},
	)
}
