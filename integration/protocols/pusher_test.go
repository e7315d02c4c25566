package protocols

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"
	"golang.org/x/net/http2"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

const pusherSite = `
https://{{site}} {
	realtime /rt {
		pusher my-app {
			key    key-1
			secret {env.REALTIME_TEST_PUSHER}
		}
		room shared {
			subscribe anyone
			publish anyone
		}
	}
}
`

// Clients of the Pusher protocol, native clients and an event stream share a room over each version of
// HTTP, and so does the app by the HTTP API.
func TestPusherOverEachVersion(t *testing.T) {
	t.Setenv("REALTIME_TEST_PUSHER", "secret-1")
	c := integration.Start(t, pusherSite)
	c.WaitLog(certified)
	site := c.Addr("site")
	native := dialAll(t, site, "shared")
	var foreign []*wire
	for _, d := range dialers {
		w, res := d.dial(t, site+"/app/key-1?protocol=7&client=js")
		if w.name = d.name; res.StatusCode != d.status {
			t.Fatalf("%s: %s", d.name, res.Status)
		}
		w.event("pusher:connection_established")
		w.send(opText, `{"event":"pusher:subscribe","data":{"channel":"shared"}}`)
		w.event("pusher_internal:subscription_succeeded")
		foreign = append(foreign, w)
	}
	h2, h3 := &http2.Transport{TLSClientConfig: clientTLS("h2")}, &http3.Transport{TLSClientConfig: clientTLS(http3.NextProtoH3)}
	defer h2.CloseIdleConnections()
	defer h3.Close()
	for n, by := range []http.RoundTripper{&http.Transport{TLSClientConfig: clientTLS("http/1.1"), DisableKeepAlives: true}, h2, h3} {
		client := &http.Client{Transport: by, Timeout: patience}
		res, err := client.Get("https://" + site + "/rt/sse?channel=shared")
		if err != nil {
			t.Fatal(err)
		}
		body := fmt.Sprintf(`{"name":"update","channel":"shared","data":"{\"n\":%d}"}`, n)
		if answer, err := client.Do(signed(t, site, body)); err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %v, %v", dialers[n].name, answer, err)
		} else {
			answer.Body.Close()
		}
		for _, w := range native {
			if got := string(w.expect("message").Payload.Content); got != fmt.Sprintf(`{"n":%d}`, n) {
				t.Errorf("%s, native: %s", w.name, got)
			}
		}
		for _, w := range foreign {
			w.event("update")
		}
		for lines := bufio.NewScanner(res.Body); ; {
			if !lines.Scan() {
				t.Fatalf("%s: the event stream ended: %v", dialers[n].name, lines.Err())
			}
			if strings.Contains(lines.Text(), fmt.Sprintf(`"content":{"n":%d}`, n)) {
				break
			}
		}
		res.Body.Close()
		native[n].send(opText, `{"type":"message","payload":{"channel":"shared","event":"hello","content":1}}`)
		for _, w := range native {
			w.expect("message")
		}
		for _, w := range foreign {
			w.event("hello")
		}
	}
}

// event reads the next message of the Pusher protocol, which has to be of this event.
func (w *wire) event(name string) {
	w.t.Helper()
	if _, payload := w.receive(); !bytes.HasPrefix(payload, []byte(`{"event":"`+name+`"`)) {
		w.t.Fatalf("%s: got %q instead of %s", w.name, payload, name)
	}
}

// signed is a request to publish an event.
func signed(t *testing.T, site, body string) *http.Request {
	t.Helper()
	sum := md5.Sum([]byte(body))
	query := "auth_key=key-1&auth_timestamp=" + strconv.FormatInt(time.Now().Unix(), 10) + "&auth_version=1.0&body_md5=" + hex.EncodeToString(sum[:])
	mac := hmac.New(sha256.New, []byte("secret-1"))
	mac.Write([]byte("POST\n/apps/my-app/events\n" + query))
	r, err := http.NewRequest(http.MethodPost, "https://"+site+"/apps/my-app/events?"+query+"&auth_signature="+hex.EncodeToString(mac.Sum(nil)), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
