package conformance

import (
	"bytes"
	"net/http"
	"strings"
)

var compressionChecks = []Check{
	{"compression: each message is compressed alone", "Compression", nil, func(r *run) {
		got := r.openDeflating().answer.Header.Get("Sec-WebSocket-Extensions")
		for _, parameter := range []string{"permessage-deflate", "server_no_context_takeover", "client_no_context_takeover"} {
			if !strings.Contains(got, parameter) {
				fail("the handshake is answered with the extension %q, without %s", got, parameter)
			}
		}
	}},
	{"compression: a smaller window is declined", "Compression", nil, func(r *run) {
		c := r.openWith(http.Header{"Sec-Websocket-Extensions": {"permessage-deflate; server_max_window_bits=10"}})
		if got := c.answer.Header.Get("Sec-WebSocket-Extensions"); got != "" {
			fail("the offer of server_max_window_bits=10 is answered with %q", got)
		}
		c.expect("connected")
	}},
	{"compression: short messages come plain, and compressed ones can be inflated alone", "Compression", []need{needRoom(Plain)}, func(r *run) {
		c, channel, before := r.openDeflating(), r.channel(Plain), 0
		c.subscribe(channel)
		for _, content := range []string{"short", strings.Repeat("long ", 1000), strings.Repeat("long ", 1000)} {
			before = c.packed
			c.tell("message", object{"channel": channel, "content": content})
			c.expect("message").want("content", content)
			if content == "short" && c.packed != before {
				fail("a message of less than 256 bytes came compressed")
			}
		}
		if c.packed == before {
			fail("a message of 5000 bytes that repeat came plain")
		}
	}},
	{"compression: the server inflates what the client sends", "Compression", nil, func(r *run) {
		c := r.openDeflating()
		for range 2 {
			c.packedFrame(deflate([]byte(`{"type":"ping","id":"p"}`)))
			c.reply(`"p"`)
		}
	}},
	{"compression: a message that inflates to too much closes with 1009", "Compression", nil, func(r *run) {
		c := r.openDeflating()
		c.packedFrame(deflate(append([]byte(`{"type":"ping"}`), bytes.Repeat([]byte(" "), maxMessage)...)))
		c.wantClose(1009)
	}},
	{"compression: a message that cannot be inflated closes with 1007", "Compression", nil, func(r *run) {
		c := r.openDeflating()
		c.packedFrame([]byte("\xff\xff\xff\xff"))
		c.wantClose(1007)
	}},
	{"compression: RSV1 on a later frame of a message closes with 1002", "Compression", nil, func(r *run) {
		c := r.openDeflating()
		packed := deflate([]byte(`{"type":"ping"}`))
		c.must(c.frame(rsv1|opText, packed[:4]))
		c.must(c.frame(0x80|rsv1, packed[4:]))
		c.wantClose(1002)
	}},
}

func (c *client) packedFrame(payload []byte) { c.must(c.frame(0x80|rsv1|opText, payload)) }
