package integration

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

const measured = `http://{{site}} {
	metrics /metrics
	realtime /rt {
		api_key k
		room a:* {
			subscribe anyone
			history 100
			publish anyone
		}
	}
	realtime /other {
		hub other
		api_key k
		room b:* {
			subscribe anyone
		}
	}
}`

// sample is a line of the text format of Prometheus.
var sample = regexp.MustCompile(`(?m)^(caddy_realtime_[a-z_]+)(\{[^}]*\})? (\S+)$`)

// scrape reads the metrics of a site, as Prometheus writes them.
func scrape(t *testing.T, c *Caddy) (values map[string]float64, text string) {
	t.Helper()
	_, text = get(t, "http://"+c.Addr("site")+"/metrics")
	values = make(map[string]float64)
	for _, m := range sample.FindAllStringSubmatch(text, -1) {
		v, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := values[m[1]+m[2]]; twice {
			t.Errorf("%s%s is there twice", m[1], m[2])
		}
		values[m[1]+m[2]] = v
	}
	return values, text
}

// TestMetricsAddUp compares the metrics with what clients have sent and received, over ten
// reloads and with two hubs.
func TestMetricsAddUp(t *testing.T) {
	const readers, reloads, byAPI, byClient = 5, 10, 20, 7
	c := Start(t, measured)
	site := "http://" + c.Addr("site")
	var conns []*websocket.Conn
	for range readers {
		ws := dial(t, "ws://"+c.Addr("site")+"/rt")
		send(t, ws, `{"type":"subscribe","id":1,"payload":{"channel":"a:1"}}`)
		expect(t, ws, `"subscribed"`)
		conns = append(conns, ws)
	}
	other := dial(t, "ws://"+c.Addr("site")+"/other")
	send(t, other, `{"type":"subscribe","id":1,"payload":{"channel":"b:1"}}`)
	expect(t, other, `"subscribed"`)
	send(t, other, `{"type":"subscribe","id":2,"payload":{"channel":"a:1"}}`)
	expect(t, other, `"FORBIDDEN"`)
	for i := range byAPI {
		if i%2 == 0 && i/2 < reloads {
			c.Reload(strings.Replace(measured, "history 100", fmt.Sprint("history ", 101+i), 1))
		}
		body := fmt.Sprintf(`{"content":%d}`, i)
		if res, text := request(t, "POST", site+"/rt/channels/a:1/messages", body, "Authorization", "Bearer k", "Content-Type", "application/json"); res.StatusCode != 200 {
			t.Fatalf("%d: %s", res.StatusCode, text)
		}
	}
	for i := range byClient {
		send(t, conns[0], fmt.Sprintf(`{"type":"message","payload":{"channel":"a:1","content":"c%d"}}`, i))
	}
	for _, ws := range conns {
		expect(t, ws, fmt.Sprintf(`"c%d"`, byClient-1))
	}
	send(t, conns[0], `{"type":"ping","id":9,"payload":{}}`) // its reader has counted the messages when it answers
	expect(t, conns[0], `"pong"`)
	conns[4].Close()
	c.WaitLog(`"msg":"connection ended"`)

	values, text := scrape(t, c)
	const hub, kind = `hub="default"`, `{dialect="native",hub="default",transport="websocket"}`
	for name, want := range map[string]float64{
		`messages_published_total{hub="default",source="api"}`:              byAPI,
		`messages_published_total{hub="default",source="websocket"}`:        byClient,
		`messages_published_total{hub="other",source="api"}`:                0,
		`deliveries_total` + kind:                                           (byAPI + byClient) * readers,
		`publish_to_write_seconds_count{hub="default"}`:                     (byAPI + byClient) * readers,
		`received_messages_total{hub="default"}`:                            readers + byClient + 1,
		`connections` + kind:                                                readers - 1,
		`connections{dialect="native",hub="other",transport="websocket"}`:   1,
		`rooms{hub="default"}`:                                              1,
		`subscriptions{hub="default"}`:                                      readers - 1,
		`gaps_total{cause="slow",hub="default"}`:                            0,
		`rejections_total{action="subscribe",code="FORBIDDEN",hub="other"}`: 1,
		`ready{hub="other"}`:                                                1,
	} {
		if got, there := values["caddy_realtime_"+name]; got != want || !there {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Log("promtool is not there")
		return
	}
	check := exec.Command("promtool", "check", "metrics")
	check.Stdin = strings.NewReader(ours(text))
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}

// ours are the lines about this module.
func ours(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if strings.Contains(line, "caddy_realtime_") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// TestRejectedStreamIsInTheAccessLog rejects an event stream, which gets the status 200.
func TestRejectedStreamIsInTheAccessLog(t *testing.T) {
	c := Start(t, `http://{{site}} {
		log
		realtime /rt {
			room a:* {
				subscribe anyone
			}
			limits {
				connections 1
			}
		}
	}`)
	url := "http://" + c.Addr("site") + "/rt?channel=a:1"
	expectLine(t, stream(t, url), `"type":"connected"`)
	res, _ := request(t, "GET", url, "", "Accept", "text/event-stream")
	if res.StatusCode != 200 {
		t.Errorf("status %d", res.StatusCode)
	}
	if line := c.WaitLog(`"realtime_error"`); !strings.Contains(line, `"LIMIT_EXCEEDED"`) || !strings.Contains(line, `"status":200`) {
		t.Errorf("the access log has %s", line)
	}
	c.WaitLog(`"msg":"connection rejected"`)
}
