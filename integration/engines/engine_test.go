package engines

import (
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
	"github.com/caddy-realtime/caddy-realtime/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m, integration.RemoveProgram) }

// patience is how long a browser may take for one thing.
const patience = 30 * time.Second

// engine is a browser without a window.
type engine interface {
	// open opens an address in a new tab and waits until the page is loaded.
	open(t testing.TB, url string) page
}

// page is a tab.
type page interface {
	// eval returns what an async function with this body returns, as text.
	eval(body string) string
	// reload loads the page again, as the user would.
	reload()
	close()
}

// starts has what starts the engines. The test ends them.
var starts = []struct {
	name  string
	start func(testing.TB) engine
}{
	{"Firefox", startFirefox},
	{"WebKit", startWebKit},
}
