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

// Start starts a browser, which is closed at the end of the test with all its tabs
// and its profile.
func Start(t testing.TB, flags ...Flag) *Chromium {
	t.Helper()
	options := switches(slices.Concat(base, flags))
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

// quit asks the browser to go. One that does not is killed by what follows.
func quit(t testing.TB, ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := chromedp.Cancel(limited); err != nil {
		t.Logf("closing Chromium: %v", err)
	}
}
