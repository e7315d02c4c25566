package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/freeport"
	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
	"github.com/caddy-realtime/caddy-realtime/internal/spawn"
)

const dashboardSite = `http://{{site}} {
	metrics /metrics
	realtime /rt {
		hub shared
		api_key k
		redis {env.REALTIME_TEST_REDIS}
		authorize {
			on subscribe publish
			respond 204
		}
		room a:* {
			subscribe anyone
			publish anyone
			history 100
			rate 20/s
		}
		room d:* {
			subscribe anyone
			publish anyone
			document
		}
	}
	realtime /alone {
		hub alone
		api_key k
		room a:* {
			subscribe anyone
			history 100
		}
	}
}`

// maySilent are the queries that a load without slow clients, away stores and notifications
// does not move.
var maySilent = regexp.MustCompile(`notify_`)

// TestDashboardUnderLoad lets Prometheus scrape a server under load, and runs each query of the
// dashboard and each alert. It takes half a minute and is for `make dashboard-check`.
func TestDashboardUnderLoad(t *testing.T) {
	if os.Getenv("REALTIME_DASHBOARD") == "" {
		t.Skip("for make dashboard-check")
	}
	t.Setenv("REALTIME_TEST_REDIS", redistest.Start(t).Addr)
	c := Start(t, dashboardSite)
	prometheus := startPrometheus(t, c.Addr("site"))
	load(t, c.Addr("site"), 20*time.Second)
	for _, q := range dashboardQueries(t) {
		found := query(t, prometheus, q)
		t.Logf("%3d series: %s", found, q)
		if found == 0 && !maySilent.MatchString(q) {
			t.Errorf("nothing answers %s", q)
		}
	}
	for _, q := range alertQueries(t) {
		t.Logf("%3d alerts: %s", query(t, prometheus, q), q)
	}
}

// startPrometheus starts a Prometheus that scrapes a site each second, and returns its URL.
func startPrometheus(t *testing.T, site string) string {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Fatal("prometheus is not there; tools/needs installs it")
	}
	dir, addr := t.TempDir(), freeport.Addr(t)
	config := fmt.Sprintf("scrape_configs:\n- job_name: caddy\n  scrape_interval: 1s\n  static_configs:\n  - targets: ['%s']\n", site)
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--config.file="+filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr)
	over, err := spawn.Start(cmd, syscall.SIGTERM)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Signal(syscall.SIGTERM); <-over })
	return "http://" + addr
}

// load makes clients and the app send for a time.
func load(t *testing.T, site string, d time.Duration) {
	t.Helper()
	ws := dial(t, "ws://"+site+"/rt")
	for _, channel := range []string{"a:1", "d:1", "no:1"} {
		send(t, ws, `{"type":"subscribe","id":1,"payload":{"channel":"`+channel+`"}}`)
	}
	dial(t, "ws://"+site+"/alone")
	stream(t, "http://"+site+"/rt?channel=a:1")
	end := time.Now().Add(d)
	for i := 0; time.Now().Before(end); i++ {
		for _, base := range []string{"/rt", "/alone"} {
			request(t, "POST", "http://"+site+base+"/channels/a:1/messages", `{"content":1}`, "Authorization", "Bearer k", "Content-Type", "application/json")
		}
		send(t, ws, `{"type":"message","payload":{"channel":"a:1","content":2}}`)
		send(t, ws, fmt.Sprintf(`{"type":"change","payload":{"channel":"d:1","localVersion":%d,"baseVersion":0,"patch":{"a":%d}}}`, i+1, i))
		if i%20 == 0 {
			again := dial(t, "ws://"+site+"/rt")
			send(t, again, `{"type":"subscribe","payload":{"channel":"a:1","recover":{"epoch":"x","offset":1}}}`)
			expect(t, again, `"subscribed"`)
			_ = again.Close()
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func dashboardQueries(t *testing.T) (queries []string) {
	t.Helper()
	text, err := os.ReadFile("../docs/grafana-dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	for _, p := range board.Panels {
		for _, q := range p.Targets {
			// What Grafana puts in for the choice "all" and for a graph of some minutes.
			queries = append(queries, strings.NewReplacer("$hub", ".+", "$__rate_interval", "10s").Replace(q.Expr))
		}
	}
	return queries
}

func alertQueries(t *testing.T) (queries []string) {
	t.Helper()
	text, err := os.ReadFile("../docs/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^ *expr: (.*)$`).FindAllStringSubmatch(string(text), -1) {
		queries = append(queries, m[1])
	}
	return queries
}

// query returns how many series answer a query.
func query(t *testing.T, prometheus, q string) int {
	t.Helper()
	res, err := http.Get(prometheus + "/api/v1/query?query=" + url.QueryEscape(q))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		Status, Error string
		Data          struct{ Result []any }
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || answer.Status != "success" {
		t.Errorf("%s: %v %s", q, err, answer.Error)
	}
	return len(answer.Data.Result)
}
