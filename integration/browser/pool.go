package browser

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// pool holds the browsers that tests share, by their switches. A start of Chromium costs
// seconds of computing. The tests need no browser of their own: each Tab has a profile of
// its own.
var pool struct {
	sync.Mutex
	browsers map[string]process
}

// Start returns a browser with these switches. The first test that wants it starts it, and
// CloseBrowsers closes it. Only the tabs belong to the test.
func Start(t testing.TB, flags ...Flag) *Chromium {
	t.Helper()
	pool.Lock()
	defer pool.Unlock()
	key := fmt.Sprint(flags)
	p, ok := pool.browsers[key]
	if ok && p.over() {
		_ = p.quit() // it has crashed in another test, which has failed for that reason
		ok = false
	}
	if !ok {
		p = launch(t, flags)
		if pool.browsers == nil {
			pool.browsers = make(map[string]process)
		}
		pool.browsers[key] = p
	}
	return &Chromium{t, p.ctx}
}

// CloseBrowsers closes the browsers that tests shared. A TestMain calls it after the last test.
func CloseBrowsers() {
	pool.Lock()
	defer pool.Unlock()
	for key, p := range pool.browsers {
		if err := p.quit(); err != nil {
			fmt.Fprintf(os.Stderr, "closing Chromium: %v\n", err)
		}
		delete(pool.browsers, key)
	}
}

// over reports whether the browser has ended by itself.
func (p process) over() bool {
	select {
	case <-p.ctx.Done():
		return true
	case <-chromedp.FromContext(p.ctx).Browser.LostConnection:
		return true
	default:
		return false
	}
}
