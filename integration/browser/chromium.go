package browser

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Chromium is a browser with a profile of its own.
type Chromium struct {
	t   testing.TB
	ctx context.Context
}

// Flag is a switch of Chromium's command line, without the dashes. The value is a
// string, or true for a switch that has none.
type Flag struct {
	Name  string
	Value any
}

// base are the switches of all tests: no window, no sandbox (the tests may run as
// root), no errand of its own, and no other host than the loopback addresses.
var base = []Flag{
	{"headless", true},
	{"no-sandbox", true},
	{"no-first-run", true},
	{"no-default-browser-check", true},
	{"disable-gpu", true},
	{"disable-dev-shm-usage", true},
	{"disable-background-networking", true},
	{"disable-component-update", true},
	{"disable-default-apps", true},
	{"disable-extensions", true},
	{"disable-sync", true},
	{"disable-breakpad", true},
	{"metrics-recording-only", true},
	{"password-store", "basic"},
	{"no-proxy-server", true},
	{"host-resolver-rules", "MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"},
	// A tab in the background would be slowed down, but all of them are.
	{"disable-background-timer-throttling", true},
	{"disable-backgrounding-occluded-windows", true},
	{"disable-renderer-backgrounding", true},
}

// NoQUIC keeps a browser from HTTP/3.
var NoQUIC = Flag{"disable-quic", true}

// Trusting makes a browser accept the certificates of servers that run already,
// and no others.
func Trusting(t testing.TB, addrs ...string) Flag {
	t.Helper()
	var pins []string
	for _, addr := range addrs {
		conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(conn.ConnectionState().PeerCertificates[0].RawSubjectPublicKeyInfo)
		_ = conn.Close()
		pins = append(pins, base64.StdEncoding.EncodeToString(sum[:]))
	}
	return Flag{"ignore-certificate-errors-spki-list", strings.Join(pins, ",")}
}

// Start starts a browser, which is closed at the end of the test with all its tabs
// and its profile.
func Start(t testing.TB, flags ...Flag) *Chromium {
	t.Helper()
	var options []chromedp.ExecAllocatorOption
	for _, f := range append(flags, base...) {
		options = append(options, chromedp.Flag(f.Name, f.Value))
	}
	// The first start reads hundreds of megabytes from the disk.
	options = append(options, chromedp.WSURLReadTimeout(2*time.Minute))
	allocator, release := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(release)
	// Chromium says things that this version of the library does not know.
	quiet := chromedp.WithErrorf(func(string, ...any) {})
	ctx, cancel := chromedp.NewContext(allocator, quiet)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting Chromium: %v", err)
	}
	t.Cleanup(func() { quit(t, ctx) })
	return &Chromium{t, ctx}
}

// quit asks the browser to go. One that does not is killed by what follows.
func quit(t testing.TB, ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := chromedp.Cancel(limited); err != nil {
		t.Logf("closing Chromium: %v", err)
	}
}
