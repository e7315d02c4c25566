package integration

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"
)

// settleListeners waits until the listeners of the configuration before are gone.
// On Linux Caddy opens a socket of its own for each configuration, and closes the
// old one a moment after a reload has returned; a connection that the system has
// put into its queue by then is reset. Clients have to try again, which tests do
// not want to do. Elsewhere, and without /proc, nothing is waited for.
func settleListeners(addrs map[string]string) {
	const limit, step = 5 * time.Second, time.Millisecond
	tick := time.NewTicker(step)
	defer tick.Stop()
	for _, addr := range addrs {
		for waited := time.Duration(0); listeners(addr) > 1 && waited < limit; waited += step {
			<-tick.C
		}
	}
}

// listeners counts the sockets that listen at an address of 127.0.0.0/8.
func listeners(addr string) (n int) {
	at, err := netip.ParseAddrPort(addr)
	if err != nil || !at.Addr().Is4() {
		return 0
	}
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return 0
	}
	b := at.Addr().As4()
	local := fmt.Sprintf("%02X%02X%02X%02X:%04X", b[3], b[2], b[1], b[0], at.Port())
	const listen = "0A"
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) > 3 && f[1] == local && f[3] == listen {
			n++
		}
	}
	return n
}
