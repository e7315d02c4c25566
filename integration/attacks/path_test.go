package attacks

import (
	"testing"
)

// attackPaths write the same path in other ways. None may reach something that
// the plain way would not; "the app" is what lies behind realtime.
func attackPaths(w *world) (rows []attack) {
	for _, p := range []struct{ path, expect string }{
		{"/rt/channels/open:1/messages", "200"},
		{"/rt/channels/open%3A1/messages", "200"},
		{"/rt/channels/open%3a1/messages", "200"},
		{"/RT/channels/open:1/messages", "200"},
		{"/%72t/channels/open:1/messages", "200"},
		{"/rt/channels/open%253A1/messages", "403 FORBIDDEN"},
		{"/rt/channels/open:a%2Fb/messages", "200"},
		{"/rt/channels/open:a%252Fb/messages", "200"},
		{"/rt/channels/open:1%2Fmessages", "404"},
		{"/rt/channels%2Fopen:1%2Fmessages", "404"},
		{"/rt%2Fchannels/open:1/messages", "the app"},
		{"/rt/CHANNELS/open:1/messages", "404"},
		{"/rt/channels/open:1/MESSAGES", "404"},
		{"/rt/%63hannels/open:1/messages", "404"},
		{"/rt/channels/open:1/messages/", "404"},
		{"/rt/channels//open:1/messages", "404"},
		{"/rt/channels/open:1//messages", "404"},
		{"/rt/channels//messages", "404"},
		{"/rt//channels/open:1/messages", "404"},
		{"//rt/channels/open:1/messages", "the app"},
		{"/x/../rt/channels/open:1/messages", "the app"},
		{"/rt/../rt/channels/open:1/messages", "404"},
		{"/rt/x/../channels/open:1/messages", "404"},
		{"/rt/./channels/open:1/messages", "404"},
		{"/rt/channels/../channels/open:1/messages", "404"},
		{"/rt/channels/open:1/../open:1/messages", "404"},
		{"/rt/channels/%2e%2e/messages", "400 INVALID_CHANNEL"},
		{"/rt/channels/open:1%00/messages", "400 INVALID_CHANNEL"},
		{"/rt/channels/open:1%0d%0a/messages", "400 INVALID_CHANNEL"},
		{"/rt/channels/open:1%ff/messages", "400 INVALID_CHANNEL"},
		{"/rt/channels/open:1%zz/messages", "400"},
		{"/rt/channels/open:*/messages", "400 INVALID_CHANNEL"},
		{"/rt/channels/open:1;x=1/messages", "200"},
		{"/rt;/channels/open:1/messages", "the app"},
		{"/rt%00/channels/open:1/messages", "the app"},
		{"/rtx/channels/open:1/messages", "the app"},
		{"/rt\\channels\\open:1\\messages", "the app"},
		{"/rt/..%2fchannels/open:1/messages", "the app"},
		{"/rt/%2e%2e/channels/open:1/messages", "the app"},
		{"http://elsewhere.example/rt/channels/open:1/messages", "200"},
	} {
		rows = append(rows, attack{"POST " + p.path, p.expect, func(t *testing.T) string {
			a := w.site.send(t, request{"POST", p.path, []string{jsonType}, `{"content":1}`})
			if a.body == "the app" {
				return a.body
			}
			return a.String()
		}})
	}
	return append(rows,
		attack{"a method smuggled by X-HTTP-Method-Override", "405", func(t *testing.T) string {
			return w.site.send(t, request{"POST", "/rt/users/alice/connections", []string{"X-HTTP-Method-Override: DELETE"}, "x"}).String()
		}},
		attack{"a handshake with a body", "400", func(t *testing.T) string {
			return w.site.send(t, request{"GET", "/rt", handshake(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n"}).String()
		}},
		attack{"a chunked handshake", "400", func(t *testing.T) string {
			return w.site.send(t, request{"GET", "/rt", handshake("Transfer-Encoding: chunked"), "0\r\n\r\n"}).String()
		}},
		attack{"a handshake by POST", "405", func(t *testing.T) string {
			return w.site.send(t, request{"POST", "/rt", handshake(), ""}).String()
		}},
		attack{"an upgrade to h2c", "426", func(t *testing.T) string {
			return w.site.send(t, request{"GET", "/rt", []string{"Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"}, ""}).String()
		}},
		attack{"a stream with a body", "cut", func(t *testing.T) string { return streamWithBody(t, w.site) }},
	)
}
