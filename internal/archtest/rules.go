package archtest

// rule says what a package may import, tests aside. Everything else is forbidden, except
// for the standard library, of which only deny is.
type rule struct {
	// pkg is the path below the module, "." for its root. A trailing /... covers
	// everything below as well.
	pkg string
	// ours are the packages of this module, in the same form.
	ours []string
	// outside are the modules, or packages of them, from elsewhere.
	outside []string
	// deny are packages of the standard library.
	deny []string
	// never are modules that the package must not depend on even by way of what it imports.
	never []string
	// why tells the reader of a failure what the rule is good for.
	why string
}

// rules are the borders. A more special rule stands before a more general one.
var rules = []rule{
	{
		pkg:  "hub",
		ours: []string{"internal/guard", "internal/tally"},
		deny: []string{"net", "net/http"},
		why:  "the core knows no wire, no server and no store, so that it can be read, tested and fuzzed alone",
	},
	{
		pkg:  "presence",
		ours: []string{"internal/guard"},
		deny: []string{"net", "net/http"},
		why:  "members are a state machine of their own; other packages hand them plain values",
	},
	{
		pkg:  "history",
		deny: []string{"net", "net/http"},
		why:  "the log and the decision to recover are pure; brokers use them under their own locks",
	},
	{
		pkg:  "document",
		deny: []string{"net", "net/http"},
		why:  "versions and patches are pure; brokers use them under their own locks",
	},
	{
		pkg:  "protocol",
		ours: []string{"hub", "presence", "document"},
		why:  "the wire format encodes values of the core and decides nothing",
	},
	{
		pkg:     "auth",
		ours:    []string{"protocol", "internal/guard"},
		outside: []string{"github.com/golang-jwt/jwt/v5", "github.com/MicahParks/jwkset", "golang.org/x/time"},
		why:     "tokens are verified in one place, which knows neither rooms nor connections; it is the only door to the token libraries",
	},
	{
		pkg:     "filter",
		ours:    []string{"hub"},
		outside: []string{"cel.dev/cel-go"},
		deny:    []string{"net/http"},
		why:     "what an expression may see and cost is decided in one place, which is the only door to cel-go",
	},
	{
		pkg:     "policy",
		ours:    []string{"hub", "presence", "document", "protocol", "filter", "internal/lane"},
		outside: []string{"github.com/santhosh-tekuri/jsonschema/v6", "github.com/microcosm-cc/bluemonday"},
		deny:    []string{"net/http"},
		why:     "what may be done is decided without knowing who asks by which way",
	},
	{
		pkg:     "session",
		ours:    []string{"hub", "presence", "document", "protocol", "filter", "policy", "auth", "internal/guard", "internal/lane", "internal/tally", "internal/tracing", "internal/trim", "internal/window"},
		outside: []string{"golang.org/x/time"},
		deny:    []string{"net/http"},
		why:     "a conversation is the same over every transport and in every dialect, so that it knows none",
	},
	{
		pkg:     "ws/dial",
		outside: []string{"github.com/gorilla/websocket"},
		why:     "the command line connects as a client; below ws, there is one door to gorilla/websocket",
	},
	{
		pkg:     "cli",
		ours:    []string{"ws/dial"},
		outside: []string{"github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/sync"},
		why:     "the command line is a client of the HTTP API, and knows neither Caddy nor the server's packages",
	},
	{
		pkg:     "ws",
		ours:    []string{"hub", "protocol", "policy", "session", "api/problem", "internal/guard", "internal/httpwriter", "internal/pace", "internal/poller", "internal/rawtcp", "internal/window"},
		outside: []string{"github.com/gorilla/websocket"},
		why:     "transports stand side by side and know neither each other nor the server; this is the only door to gorilla/websocket",
	},
	{
		pkg:  "sse",
		ours: []string{"hub", "protocol", "policy", "session", "api/problem", "internal/guard", "internal/httpwriter", "internal/pace", "internal/poller", "internal/rawtcp"},
		why:  "transports stand side by side and know neither each other nor the server",
	},
	{
		pkg:  "engineio",
		ours: []string{"hub", "protocol", "session", "ws", "internal/guard", "internal/pace"},
		why:  "the transport of Engine.IO is polls, which may become a WebSocket of package ws; it knows neither the messages in its packets nor the server",
	},
	{
		pkg:  "api/problem",
		ours: []string{"protocol", "internal/pace"},
		why:  "transports answer errors like the HTTP API and must not need it for that",
	},
	{
		pkg:  "api",
		ours: []string{"hub", "presence", "document", "protocol", "policy", "auth", "session", "api/problem", "internal/pace"},
		why:  "the HTTP API is one more way to the same session rules",
	},
	{
		pkg:  "dialect/native",
		ours: []string{"hub", "presence", "protocol", "session"},
		deny: []string{"net", "net/http"},
		why:  "a dialect decodes, calls operations of the session and encodes; identity, policy and transports are the business of others",
	},
	{
		pkg:  "dialect/...",
		ours: []string{"hub", "presence", "protocol", "policy", "auth", "session", "notify", "api/problem", "internal/pace"},
		why:  "other protocols use the same rooms and reach into no transport; bodies of their HTTP APIs must arrive in time, and they word the events for their apps",
	},
	{
		pkg:  "notify",
		ours: []string{"internal/guard"},
		why:  "events for the app wait and are sent without knowing what keeps them, or how the app is reached",
	},
	{
		pkg:  "backend/memory",
		ours: []string{"hub", "presence", "document", "history", "notify", "internal/guard"},
		why:  "a backend fulfils what the core asks for and is known to the node alone",
	},
	{
		pkg:     "backend/disk",
		ours:    []string{"hub", "presence", "document", "history", "notify", "backend/memory", "internal/guard"},
		outside: []string{"go.etcd.io/bbolt"},
		why:     "it adds a file to the backend in memory and is known to the node alone; this is the only door to bbolt",
	},
	{
		pkg:     "backend/redis",
		ours:    []string{"hub", "presence", "document", "history", "notify", "internal/guard", "internal/tally"},
		outside: []string{"github.com/redis/go-redis/v9"},
		why:     "a backend fulfils what the core asks for and is known to the node alone; this is the only door to go-redis",
	},
	{
		pkg:  "backend/backendtest",
		ours: []string{"hub", "presence", "document", "history", "notify", "internal/checker"},
		why:  "the contract of backends is written against the core, not against an implementation",
	},
	{
		pkg: "client",
		why: "it embeds the built browser client and nothing else",
	},
	{
		pkg: "console",
		why: "it embeds a page and nothing else",
	},
	{
		pkg: "internal/guard",
		why: "it ends panics with nothing but the standard library, so that the core may use it as well",
	},
	{
		pkg: "internal/tally",
		why: "it counts for operators with nothing but the standard library, so that the core may use it as well",
	},
	{
		pkg:     "internal/tracing",
		outside: []string{"go.opentelemetry.io/otel"},
		never:   []string{"go.opentelemetry.io/otel/sdk"},
		why:     "spans are made in one way, by the interfaces of OpenTelemetry; the site decides where they go",
	},
	{
		pkg: "internal/lane",
		why: "it bounds long computations with nothing but the standard library, so that every package may share the bound",
	},
	{
		pkg: "internal/httpwriter",
		why: "it adds to net/http what both transports need of its writers",
	},
	{
		pkg: "internal/window",
		why: "it counts with nothing but the standard library, so that every package may use it",
	},
	{
		pkg:  "internal/trim",
		ours: []string{"internal/guard"},
		why:  "it asks the runtime for memory back, and knows only that a connection came",
	},
	{
		pkg: "internal/pace",
		why: "it bounds what clients may keep the server from freeing with nothing but the standard library",
	},
	{
		pkg:     "internal/rawtcp",
		outside: []string{"golang.org/x/sys"},
		why:     "it adds to package net what both transports need of sockets",
	},
	{
		pkg:     "internal/poller",
		ours:    []string{"internal/guard", "internal/rawtcp"},
		outside: []string{"golang.org/x/sys"},
		why:     "whoever uses descriptors by their numbers is in one place, and knows nothing of what is sent",
	},
	{
		pkg:  "internal/redistest",
		ours: []string{"internal/freeport", "internal/spawn"},
		why:  "the servers of tests have ports of their own, and end with the tests",
	},
	{
		pkg:  "internal/editor",
		ours: []string{"document"},
		why:  "the model of a client applies patches as the server does, and shares nothing else with it",
	},
	{
		pkg:     "internal/block",
		outside: []string{"github.com/caddyserver/caddy/v2"},
		why:     "it reads blocks of a Caddyfile, and must not know which blocks there are",
	},
	{
		pkg:     "internal/caddyhost",
		ours:    []string{"internal/guard"},
		outside: []string{"github.com/caddyserver/caddy/v2", "go.uber.org/zap"},
		why:     "what leans on the internals of Caddy stands in one place, and knows nothing of channels",
	},
	{
		pkg:     "internal/askapp",
		ours:    []string{"internal/guard", "internal/tally", "internal/tracing"},
		outside: []string{"github.com/caddyserver/caddy/v2"},
		why:     "every block whose directives ask the app does so in one way, which knows nothing of channels, tokens and sessions",
	},
	{
		pkg: "internal/...",
		why: "helpers of tests and tools depend on nothing that they help with",
	},
	{
		pkg:     "access",
		ours:    []string{"protocol", "policy", "auth", "session", "notify", "ws", "config", "internal/askapp", "internal/block", "internal/renew", "internal/tally"},
		outside: []string{"github.com/caddyserver/caddy/v2"},
		why:     "who sends a request is decided before there is a session, and without knowing hubs",
	},
	{
		pkg:   "node",
		ours:  []string{"hub", "presence", "document", "protocol", "auth", "session", "notify", "engineio", "backend/disk", "backend/memory", "backend/redis", "internal/guard", "internal/tally"},
		never: []string{"github.com/caddyserver/caddy/v2"},
		why:   "a hub with all its parts outlives configurations, so that it must not hold one, and is tested without a Caddy",
	},
	{
		pkg:     "metrics",
		ours:    []string{"hub", "session", "notify", "backend/memory", "backend/redis", "node", "internal/tally"},
		outside: []string{"github.com/prometheus/client_golang"},
		never:   []string{"github.com/caddyserver/caddy/v2"},
		why:     "figures are read when somebody asks for them, so that nothing else knows Prometheus",
	},
	{
		pkg:     "config",
		ours:    []string{"hub", "presence", "document", "protocol", "filter", "policy", "auth", "session", "notify", "backend/disk", "backend/redis", "node", "dialect/socketio", "internal/block"},
		outside: []string{"github.com/caddyserver/caddy/v2"},
		why:     "the configuration is data: it is checked and turned into settings, and starts nothing",
	},
	{
		pkg:  "front",
		ours: []string{"access", "config", "protocol", "session", "ws", "engineio", "dialect/...", "internal/block", "internal/caddyhost"},
		why:  "each other protocol finds its requests in a file of its own; what every client must pass, the route decides",
	},
	{
		pkg:     "gate",
		ours:    []string{"internal/guard"},
		outside: []string{"github.com/caddyserver/caddy/v2", "go.uber.org/zap"},
		why:     "what stands before TLS knows bytes alone: no request, no client and no hub",
	},
	{
		pkg: ".",
		ours: []string{"access", "backend/disk", "config", "metrics", "node", "protocol", "auth", "session", "notify", "ws", "sse", "engineio", "front", "gate", "api/...", "dialect/...", "client", "cli", "console",
			"internal/block", "internal/caddyhost", "internal/guard", "internal/pace", "internal/tracing"},
		outside: []string{"github.com/caddyserver/caddy/v2", "go.uber.org/zap", "github.com/prometheus/client_golang", "github.com/spf13/cobra"},
		why:     "the module for Caddy wires packages together and registers them; the core and the stores are the business of the node, but for a store that is at rest, which the command line opens",
	},
	{
		pkg:     "cmd/caddy",
		ours:    []string{"."},
		outside: []string{"github.com/caddyserver/caddy/v2"},
		why:     "a Caddy with the module, and nothing that a Caddy built by xcaddy would not have",
	},
	{
		pkg: "integration/conformance",
		why: "the checks of the protocol hold any server to the page, and share no code with this one",
	},
	{
		pkg:  "cmd/conformance",
		ours: []string{"integration/conformance"},
		why:  "the checks of the protocol as a program, which needs nothing of the server",
	},
	{
		pkg:     "integration/...",
		ours:    []string{"./..."},
		outside: []string{"github.com/..."},
		why:     "tests of the whole may use all of it",
	},
	{
		pkg:     "bench/caddy",
		ours:    []string{".", "bench/floor"},
		outside: []string{"github.com/caddyserver/caddy/v2"},
		why:     "the Caddy that is measured has one admin request more than the one that users build, and a handler that is the floor for a connection",
	},
	{
		pkg:     "bench/...",
		ours:    []string{"bench/...", "internal/..."},
		outside: []string{"github.com/...", "golang.org/..."},
		why:     "the load generator measures from outside and shares nothing with the server",
	},
	{
		pkg:     "examples/...",
		outside: []string{"github.com/..."},
		why:     "an example is what a user could write, with nothing but the documented interfaces",
	},
}
