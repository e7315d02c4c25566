package backendtest_test

import (
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/backendtest"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/leak"
)

// faultVariable names, in a child process, the fault to run the contract with.
const faultVariable = "BACKENDTEST_FAULT"

func TestMain(m *testing.M) { leak.Main(m) }

// A contract is worth what it refuses. Failing tests cannot be run inside of a
// passing one, so each fault gets a process of its own.
func TestContractFindsFaults(t *testing.T) {
	t.Parallel()
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := faults[name].found
			out, err := contract(t, name, found)
			for _, test := range found {
				if err == nil || !strings.Contains(out, "TestFault/"+test) {
					t.Errorf("%s did not notice (%v):\n%s", test, err, out)
				}
			}
		})
	}
}

// contract runs some of its tests with a broker that has the fault. The timeout is
// for the fault that is a deadlock.
func contract(t *testing.T, fault string, tests []string) (string, error) {
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFault$/^("+strings.Join(tests, "|")+")$", "-test.timeout=5s")
	c.Env = append(os.Environ(), faultVariable+"="+fault)
	out, err := c.CombinedOutput()
	return string(out), err
}

// TestFault is what the child processes run; by itself it does nothing.
func TestFault(t *testing.T) {
	f, ok := faults[os.Getenv(faultVariable)]
	if !ok {
		return
	}
	backendtest.SetPatience(300 * time.Millisecond)
	backendtest.RunBroker(t, func(_ *testing.T, sink hub.Sink) hub.Broker { return f.broker(sink) })
}
