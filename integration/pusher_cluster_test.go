package integration

import (
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

const pusherClusterSite = `
http://{{site}} {
	realtime /rt {
		redis {env.REALTIME_TEST_REDIS}
		pusher my-app {
			key    key-1
			secret {env.REALTIME_TEST_PUSHER}
			subscription_count
		}
	}
}
`

// TestPusherCluster drives the libraries of Pusher over three nodes, one of which is killed.
func TestPusherCluster(t *testing.T) {
	t.Parallel()
	env := []string{"REALTIME_TEST_REDIS=" + redistest.Start(t).Addr, "REALTIME_TEST_PUSHER=secret-1"}
	var nodes []*Process
	var sites []string
	for range 3 {
		p := StartProcess(t, pusherClusterSite, env...)
		nodes, sites = append(nodes, p), append(sites, p.Addr("site"))
	}
	playNode(t, script(t, "cluster_node.mjs"), []string{"SITES=" + strings.Join(sites, " ")}, map[string]func(){"kill": nodes[2].Kill})
}
