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

	publishScript  = newScript(publishSource)
	relayScript    = newScript(relaySource)
	positionScript = newScript(positionSource)
	renewScript    = newScript(renewSource)
	historyScript  = newScript(historySource)
)
