package integration

import (
	"strings"
	"testing"
)

// TestRejectedHandshakesOfOtherProtocols logs them like those of native clients.
func TestRejectedHandshakesOfOtherProtocols(t *testing.T) {
	t.Setenv("FRONT_SECRET", "a secret of the app")
	c := Start(t, `http://{{site}} {
		realtime /rt {
			room a:* {
				subscribe anyone
			}
			limits {
				connections 1
			}
			socketio
			pusher 1 {
				key key-1
				secret {env.FRONT_SECRET}
			}
		}
	}`)
	site := "http://" + c.Addr("site")
	expectLine(t, stream(t, site+"/rt?channel=a:1"), `"type":"connected"`)
	for path, origin := range map[string]string{"/socket.io/?EIO=4&transport=polling": "https://chat.example", "/app/key-1?protocol=7": "https://news.example"} {
		var header []string
		if strings.HasPrefix(path, "/app") {
			header = []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}
		}
		if res, body := request(t, "GET", site+path, "", append(header, "Origin", origin)...); res.StatusCode < 400 {
			t.Errorf("%s: status %d, %s", path, res.StatusCode, body)
		}
		if line := c.WaitLog(`"origin":"` + origin); !strings.Contains(line, `"msg":"connection rejected"`) || !strings.Contains(line, `"LIMIT_EXCEEDED"`) {
			t.Errorf("%s: the log has %s", path, line)
		}
	}
}

// TestSocketIOPing has the interval of the block in the first packet of Engine.IO.
func TestSocketIOPing(t *testing.T) {
	c := Start(t, `http://{{site}} {
		realtime /rt {
			room io:* {
				subscribe anyone
			}
			socketio {
				ping 21s 20s
			}
		}
	}`)
	_, packet := request(t, "GET", "http://"+c.Addr("site")+"/socket.io/?EIO=4&transport=polling", "")
	if !strings.Contains(packet, `"pingInterval":21000,"pingTimeout":20000`) {
		t.Errorf("the first packet is %s", packet)
	}
}
