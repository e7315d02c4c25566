package config

import (
	"time"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// The defaults and bounds that this package applies. Those of other options are constants
// of the packages that apply them. Nothing else has the numbers: a test of the module
// compares the comments of the fields and docs/configuration.md with all these constants.
const (
	// DefaultHub is the name of the hub of a route that names none.
	DefaultHub = "default"

	DefaultChannels = 100
	// DefaultRequestMemory is enough for 250 of the greatest answers at once.
	DefaultRequestMemory = 128 << 20
	// MinMessageSize has space for the commands with a channel name of the greatest length.
	MinMessageSize = 512

	DefaultSubscribe = policy.Users
	DefaultPublish   = policy.Server
	DefaultSlow      = "disconnect"
	DefaultSanitize  = policy.SanitizeNone
	DefaultConflict  = "merge"

	// MaxSnapshot keeps a snapshot within what a connection's queue holds.
	MaxSnapshot = 1000

	// MaxDocumentDepth leaves room for the envelope and the patch around a value.
	MaxDocumentDepth = protocol.MaxDepth - 4
	// MaxOperations and MaxChanges bound what a single change costs.
	MaxOperations = 1000
	MaxChanges    = 10_000
	// MinDocumentTTL is far more than a node takes to tell Redis that a document is used.
	MinDocumentTTL = time.Minute
)
