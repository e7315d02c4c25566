package browser

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Chromium is a browser, as one test has it.
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
	// The suggestions below the address bar are two pages for each window, which compute
	// four times as much as a page of a test. A browser without them shows no suggestions.
	{disableFeatures, "WebUIOmniboxPopup,WebUIOmniboxAimPopup"},
}

// disableFeatures is the switch whose value is a list, to which each Flag of this name adds.
const disableFeatures = "disable-features"

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

// StartAlone starts a browser for one test, which is closed at the end of the test with all
// its tabs. It is for switches that no other test has, such as those of Trusting.
func StartAlone(t testing.TB, flags ...Flag) *Chromium {
	t.Helper()
	p := launch(t, flags)
	t.Cleanup(func() {
		if err := p.quit(); err != nil {
			t.Logf("closing Chromium: %v", err)
		}
	})
	return &Chromium{t, p.ctx}
}

// process is a Chromium that runs.
type process struct {
	ctx  context.Context
	kill func() // waits until nothing of the process is left, not even its folder
}

// launch starts a browser with a folder of its own.
func launch(t testing.TB, flags []Flag) process {
	t.Helper()
	options := switches(slices.Concat(base, flags))
	// The first start reads hundreds of megabytes from the disk.
	options = append(options, chromedp.WSURLReadTimeout(2*time.Minute))
	allocator, release := chromedp.NewExecAllocator(context.Background(), options...)
	// Chromium says things that this version of the library does not know.
	quiet := chromedp.WithErrorf(func(string, ...any) {})
	ctx, cancel := chromedp.NewContext(allocator, quiet)
	kill := func() { cancel(); release() }
	if err := chromedp.Do(ctx); err != nil {
		kill()
		t.Fatalf("starting Chromium: %v", err)
	}
	return process{ctx, kill}
}

// switches are the options for flags. Of two flags with one name the last counts, but for lists.
func switches(flags []Flag) (options []chromedp.ExecAllocatorOption) {
	var features []string
	for _, f := range flags {
		if f.Name == disableFeatures {
			features = append(features, f.Value.(string))
			continue
		}
		options = append(options, chromedp.Flag(f.Name, f.Value))
	}
	return append(options, chromedp.Flag(disableFeatures, strings.Join(features, ",")))
}

// quit asks the browser to go, and kills one that does not.
func (p process) quit() error {
	defer p.kill()
	limited, cancel := context.WithTimeout(p.ctx, 10*time.Second)
	defer cancel()
	return chromedp.Cancel(limited)
}
