package browser

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// relayOnly forbids direct paths, as some networks do, and keeps the connections for the test.
const relayOnly = `peers = [];
RTCPeerConnection = class extends RTCPeerConnection {
	constructor(options) {
		super({ ...options, iceTransportPolicy: 'relay' });
		peers.push(this);
	}
};`

// relay starts a TURN server that has a secret, and returns its address.
func relay(t *testing.T, secret string) string {
	t.Helper()
	program, err := exec.LookPath("turnserver")
	if err != nil {
		t.Skip("turnserver is not installed; tools/needs names it")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	folder := t.TempDir()
	server := exec.Command(program, "-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", fmt.Sprintf("--listening-port=%d", port),
		"--use-auth-secret", "--static-auth-secret="+secret, "--realm=example.com", "--allow-loopback-peers",
		"--no-cli", "--no-tls", "--no-dtls", "--log-file=stdout", "--userdb="+filepath.Join(folder, "db"), "--pidfile="+filepath.Join(folder, "pid"))
	var log strings.Builder
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		if t.Failed() {
			t.Logf("the log of the TURN server:\n%s", &log)
		}
	})
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
			return addr
		}
		if time.Now().After(end) {
			t.Fatalf("the TURN server does not listen: %v", err)
		}
	}
}

// turning is the Caddyfile of the call example with its block turn, which is a comment there.
func turning(t *testing.T, uri string) string {
	t.Helper()
	text := example(t, "call")
	uncommented := regexp.MustCompile(`(?m)^\t\t#( turn \{|\t(?:uri|secret|anyone).*| \})$`).ReplaceAllString(text, "\t\t$1")
	if uncommented == text {
		t.Fatal("the example has no block turn")
	}
	return regexp.MustCompile(`uri .*`).ReplaceAllString(uncommented, "uri "+uri)
}

// Pages that have no direct path call each other through a real TURN server, which accepts the credentials that
// the server has made.
func TestExampleCallRelayed(t *testing.T) {
	const secret = "shared-with-coturn"
	t.Setenv("TURN_SECRET", secret)
	s := integration.Start(t, turning(t, "turn:"+relay(t, secret)))
	browser, url := Start(t, calling...), "http://"+s.Addr("site")+"/"
	var tabs []caller
	for _, name := range []string{"ann", "bob"} {
		tab := browser.phone(name, url)
		tab.Do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: relayOnly})
			return err
		}))
		tab.Run(relayOnly)
		tabs = append(tabs, tab)
	}
	ann, bob := tabs[0], tabs[1]
	ann.calls(bob)
	ann.shows("article[data-state=open] header", "bobconnected")
	bob.shows("article[data-state=open] header", "annconnected")
	ann.says("by the relay")
	bob.shows("article ol", "by the relay")
	kinds := Eval[string](ann.Tab, `peers[0].getStats().then((stats) =>
		[...stats.values()].filter(({ type }) => type === 'local-candidate').map(({ candidateType }) => candidateType).join(' '))`)
	if kinds == "" || strings.Trim(kinds, "relay ") != "" {
		t.Errorf("the candidates are %q, not relays alone", kinds)
	}
}
