package redis

import (
	"crypto/sha1"
	_ "embed"
	"encoding/hex"
	"strings"
)

// script is a Lua script that Redis knows by its hash once it has seen it.
type script struct {
	source, hash string
	// sharded is the same script for a cluster, where it publishes with SPUBLISH; nil
	// in that one itself.
	sharded *script
}

func newScript(source ...string) *script {
	text := strings.Join(source, "")
	s := hashed(text)
	s.sharded = hashed(strings.ReplaceAll(text, "redis.call('PUBLISH'", "redis.call('SPUBLISH'"))
	return s
}

func hashed(source string) *script {
	sum := sha1.Sum([]byte(source))
	return &script{source: source, hash: hex.EncodeToString(sum[:])}
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
	//go:embed count.lua
	countSource string
	//go:embed elsewhere.lua
	elsewhereSource string
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
	//go:embed layout.lua
	layoutSource string

	publishScript   = newScript(publishSource)
	relayScript     = newScript(relaySource)
	positionScript  = newScript(positionSource)
	renewScript     = newScript(renewSource)
	historyScript   = newScript(historySource)
	enterScript     = newScript(presenceSource, enterSource)
	leaveScript     = newScript(presenceSource, leaveSource)
	reapScript      = newScript(presenceSource, reapSource)
	leaseScript     = newScript(leaseSource)
	listScript      = newScript(listSource)
	countScript     = newScript(countSource)
	elsewhereScript = newScript(elsewhereSource)
	orderScript     = newScript(orderSource)
	ordersScript    = newScript(ordersSource)
	loadScript      = newScript(documentSource, loadSource)
	commitScript    = newScript(documentSource, commitSource)
	findScript      = newScript(findSource)
	layoutScript    = newScript(layoutSource)
)
