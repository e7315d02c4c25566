package ws_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/internal/leak"
	"github.com/caddy-realtime/caddy-realtime/internal/poller"
	_ "github.com/caddy-realtime/caddy-realtime/internal/xconnect" // HTTP/2 servers of this binary take extended CONNECT
)

// TestMain runs the tests without the poller if POLLER is off, as on systems that have none.
func TestMain(m *testing.M) {
	if os.Getenv("POLLER") == "off" {
		poller.Off()
	}
	leak.Main(m)
}

// TestWithoutPoller runs, once more and without the poller, the tests of what the poller does. It uses
// the binary that is there, because to link another one would take longer than the tests.
func TestWithoutPoller(t *testing.T) {
	if os.Getenv("POLLER") == "off" {
		return
	}
	t.Parallel()
	const tests = "^(TestConversation|TestClientCloses|TestServerCloses|TestClientHangsUp|TestRFC6455|TestPings|TestLost|TestStuckWrite|TestHalfClose|TestEarlyFrames|TestRecords)$"
	again := exec.Command(os.Args[0], "-test.run", tests, "-test.timeout", "1m")
	again.Env = append(os.Environ(), "POLLER=off")
	if out, err := again.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
