package config

import (
	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// HubOptions are the options of a hub. They stand in the global option `realtime`
// or in the directive.
var HubOptions = block.Options[*Hub]{
	"heartbeat": {Syntax: "<interval> [<timeout>]", Min: 1, Max: 2, Parse: parseHeartbeat},
	"limits":    {Syntax: "{ … }", Block: true, Inside: limitOptions, Parse: parseLimits},
	"room":      {Syntax: "<pattern> { … }", Min: 1, Max: 1, Repeat: true, Block: true, Inside: roomOptions, Parse: parseRoom},
	"drain":     {Syntax: "<window> [<at_exit>]", Min: 1, Max: 2, Parse: parseDrain},
	"redis":     {Syntax: "<address>… [{ … }]", Min: 1, Max: -1, Block: true, Inside: redisOptions, Parse: parseRedis},
	"store":     {Syntax: "<dir> [{ … }]", Min: 1, Max: 1, Block: true, Inside: storeOptions, Parse: parseStore},
}
