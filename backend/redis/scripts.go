package redis

import (
	"crypto/sha1"
	_ "embed"
	"encoding/hex"
)

// script is a Lua script that Redis knows by its hash once it has seen it.
type script struct{ source, hash string }

func newScript(source ...string) *script {
	s := new(script)
	for _, part := range source {
		s.source += part
	}
	sum := sha1.Sum([]byte(s.source))
	s.hash = hex.EncodeToString(sum[:])
	return s
}

var (
	//go:embed publish.lua
	publishSource string
	//go:embed relay.lua
	relaySource string
	//go:embed position.lua
	positionSource string
	//go:embed renew.lua
	renewSource string
	//go:embed history.lua
	historySource string
	//go:embed presence.lua
	presenceSource string
	//go:embed enter.lua
	enterSource string
	//go:embed leave.lua
	leaveSource string
	//go:embed reap.lua
	reapSource string
	//go:embed lease.lua
	leaseSource string
	//go:embed list.lua
	listSource string
	//go:embed order.lua
	orderSource string
	//go:embed orders.lua
	ordersSource string
	//go:embed document.lua
	documentSource string
	//go:embed load.lua
	loadSource string
	//go:embed commit.lua
	commitSource string
	//go:embed find.lua
	findSource string

	publishScript  = newScript(publishSource)
	relayScript    = newScript(relaySource)
	positionScript = newScript(positionSource)
	renewScript    = newScript(renewSource)
	historyScript  = newScript(historySource)
	enterScript    = newScript(presenceSource, enterSource)
	leaveScript    = newScript(presenceSource, leaveSource)
	reapScript     = newScript(presenceSource, reapSource)
	leaseScript    = newScript(leaseSource)
	listScript     = newScript(listSource)
	orderScript    = newScript(orderSource)
	ordersScript   = newScript(ordersSource)
	loadScript     = newScript(documentSource, loadSource)
	commitScript   = newScript(documentSource, commitSource)
	findScript     = newScript(findSource)
)
