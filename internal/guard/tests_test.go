package guard_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// tested names for each guard the test in which its work panics. A guard is a package and
// what it calls its work: the text that follows "panic in" in the log. The test is in the
// same package.
var tested = map[string]string{
	".: the drain of a hub":                                 "TestPanicInTheDrainOfAHub",
	"node: the end of a hub":                                "TestPanicInTheEndOfAHub",
	"node: the change of what is taken from other programs": "TestPanicInTheChangeOfAnIntake",

	"internal/caddyhost: a connection that takes no answer": "TestPanicInTheCutOfAnAnswer",
	"internal/caddyhost: the end of a connection":           "TestPanicInTheEndOfAConnection",

	"engineio: a write to a client of Engine.IO":    "TestPanicInAWrite",
	"engineio: an upgrade of a client of Engine.IO": "TestPanicInAnUpgrade",
	"engineio: the end of a polling session":        "TestPanicInTheEndOfASession",

	"internal/askapp: a request to the app": "TestPanicInARequestToTheApp",

	"auth: the fetch of a key set":                "TestPanicInTheFetchOfAKeySet",
	"auth: the fetches of a key set":              "TestPanicInTheFetchesOfAKeySet",
	"auth: the start of the fetches of a key set": "TestPanicInTheStartOfTheFetches",

	"backend/memory: the end of a grace after a restart": "TestPanicInTheEndOfAGrace",
	"backend/memory: the expiry of a history":            "TestPanicInTheExpiryOfAHistory",
	"backend/memory: the expiry of histories":            "TestPanicInTheJanitor",
	"backend/memory: the expiry of members":              "TestPanicInTheExpiryOfMembers",
	"backend/memory: the reduction of a history":         "TestPanicInTheReductionOfAHistory",

	"backend/disk: a transaction of the store":       "TestPanicInATransaction",
	"backend/disk: opening the store":                "TestPanicWhileOpening",
	"backend/disk: the end of a change in the store": "TestPanicInTheEndOfAChange",
	"backend/disk: the compaction of the store":      "TestPanicInACompaction",
	"backend/disk: the writer of the store":          "TestPanicInTheWriter",

	"backend/redis: an order":                               "TestPanicOfWhoeverTakes",
	"backend/redis: commands to Redis":                      "TestPanicOfCommand",
	"backend/redis: announcing the node":                    "TestPanicOfALoop",
	"backend/redis: answering questions":                    "TestPanicOfALoop",
	"backend/redis: the answer to a question":               "TestPanicOfWhoeverTakes",
	"backend/redis: counting connections":                   "TestPanicOfALoop",
	"backend/redis: following orders":                       "TestPanicOfALoop",
	"backend/redis: one of several Redis":                   "TestPanicWithOneOfSeveral",
	"backend/redis: the commands to Redis":                  "TestPanicOfAFlight",
	"backend/redis: the comparison of documents":            "TestPanicOfALoop",
	"backend/redis: the comparison of idle documents":       "TestPanicOfALoop",
	"backend/redis: the comparison of idle rooms":           "TestPanicOfALoop",
	"backend/redis: the comparison of layouts":              "TestPanicOfTheComparisonOfLayouts",
	"backend/redis: the comparison of rooms":                "TestPanicOfALoop",
	"backend/redis: the end of a subscription":              "TestPanicInTheEndOfASubscription",
	"backend/redis: the lease of presence":                  "TestPanicOfALoop",
	"backend/redis: the reader of a subscription":           "TestPanicOfASubscription",
	"backend/redis: the repair of a room":                   "TestPanicOfWhoeverTakes",
	"backend/redis: the report of connections and channels": "TestPanicOfALoop",
	"backend/redis: the subscription to Redis":              "TestPanicOfALoop",
	"backend/redis: the unsubscribing from Redis":           "TestPanicOfALoop",
	"backend/redis: taking what other programs publish":     "TestPanicOfALoop",
	"backend/redis: what another program has published":     "TestPanicOfWhoeverTakes",
	"backend/redis: the watch over a subscription":          "TestPanicOfASubscription",
	"backend/redis: the writer of a subscription":           "TestPanicOfASubscription",
	"backend/redis: what takes a message from Redis":        "TestPanicOfWhoeverTakes",

	"session: subscriptions by order of the app": "TestPanicInSubscriptionsByOrder",

	"node: a commanded drain": "TestPanicInACommandedDrain",

	"hub: a broadcast":                          "TestPanicInABroadcast",
	"hub: a ping":                               "TestPanicInAPing",
	"hub: a room":                               "TestPanicInARoom",
	"hub: a write":                              "TestPanicInABroadcast",
	"hub: an encoder":                           "TestPanicInAnEncoder",
	"hub: the drain of a connection":            "TestPanicInTheDrainOfAConnection",
	"hub: the encoding of a close":              "TestPanicInTheEndOfAConnection",
	"hub: the end of a connection":              "TestPanicInTheEndOfAConnection",
	"hub: the end of a subscription":            "TestPanicInTheEndOfAConnection",
	"hub: the heartbeat":                        "TestPanicInASlot",
	"hub: what follows the end of a connection": "TestPanicInTheEndOfAConnection",

	"internal/poller: a connection that can be read":    "TestPanicInAHandler",
	"internal/poller: a connection that can be written": "TestPanicOfAWriter",
	"internal/poller: deadlines of connections":         "TestPanicInADeadline",
	"internal/poller: the poller":                       "TestPanicInThePoller",
	"internal/poller: the watchdog of the poller":       "TestPanicOfTheWatchdog",

	"gate: a place for a TLS handshake": "TestPanicAtAPlace",

	"internal/trim: the return of memory": "TestPanicInTheReturnOfMemory",

	"notify: a request to the app":   "TestPanicInARequest",
	"notify: the delivery of events": "TestPanicInADelivery",

	"presence: an announcement of presence":    "TestPanicsOfRoom",
	"presence: presence":                       "TestPanicOfATask",
	"presence: the grace of a member":          "TestPanicOfLose",
	"presence: the presence of a room":         "TestPanicsOfRoom",
	"presence: the timer of a room's presence": "TestPanicInTheTimerOfARoom",
	"session: a call to the app":               "TestPanicInACall",
	"session: a subscription to a document":    "TestPanicInALateSubscription",
	"session: counting users":                  "TestPanicInCountingUsers",
	"session: counting subscriptions":          "TestPanicInCounting",
	"session: a timer of a dialect":            "TestPanicInATimerOfADialect",
	"session: the end of a token":              "TestPanicInTheEndOfAToken",
	"sse: the reader of an event stream":       "TestPanicInTheReaderOfAStream",
	"sse: a stuck write of an event stream":    "TestPanicInTheAbortOfAWrite",
	"ws: a WebSocket reader":                   "TestPanicCostsOneConnection",
	"ws: the end of a WebSocket":               "TestCutThatPanics",
}

// named are the names that the package gives to the work of its guards: the arguments of
// guard's functions, and of those of the package that pass theirs on as what.
func (s *source) named(t *testing.T) (names []string) {
	pass := s.passing()
	for _, f := range s.files {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			arg := nameArg(call, pass)
			if lit, ok := arg.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				name, _ := strconv.Unquote(lit.Value)
				names = append(names, name)
			} else if arg != nil && nameArg(call, nil) != nil && nameOf(arg) != "what" {
				t.Errorf("%s: the work of a guard is not named by a text", s.set.Position(call.Pos()))
			}
			return true
		})
	}
	return names
}

// nameArg is the argument of a call that names the work of a guard; nil: none does. pass
// has the places of this argument in functions of the package.
func nameArg(call *ast.CallExpr, pass map[string]int) ast.Expr {
	at, ok := pass[nameOf(call.Fun)]
	switch {
	case isGuard(call.Fun, "Recover", "Run", "Report"):
		at, ok = 1, true
	case isGuard(call.Fun, "Loop"):
		at, ok = 2, true
	}
	if !ok || at >= len(call.Args) {
		return nil
	}
	return call.Args[at]
}

// passing are the functions of the package that pass a parameter what on to a guard, with
// its place.
func (s *source) passing() map[string]int {
	pass := make(map[string]int)
	for before := -1; before < len(pass); {
		before = len(pass)
		for name, decls := range s.funcs {
			for _, d := range decls {
				if at := placeOfWhat(d); at >= 0 && passesOn(d, pass) {
					pass[name] = at
				}
			}
		}
	}
	return pass
}

// placeOfWhat is the place of the parameter what; -1: there is none.
func placeOfWhat(d *ast.FuncDecl) int {
	at := 0
	for _, field := range d.Type.Params.List {
		for _, p := range field.Names {
			if p.Name == "what" {
				return at
			}
			at++
		}
	}
	return -1
}

func passesOn(d *ast.FuncDecl, pass map[string]int) (found bool) {
	ast.Inspect(d, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if arg := nameArg(call, pass); arg != nil && nameOf(arg) == "what" {
				found = true
			}
		}
		return true
	})
	return found
}

// testsOf are the tests of a package.
func testsOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(dir), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	tests := make(map[string]bool)
	for _, path := range paths {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
				tests[f.Name.Name] = true
			}
		}
	}
	return tests
}

// Each guard has a test that lets its work panic. As every goroutine has a guard, a new
// goroutine has one too, unless it shares the guard of another.
func TestGuardsAreTested(t *testing.T) {
	t.Parallel()
	found := make(map[string]bool)
	for dir, s := range sources(t) {
		tests := testsOf(t, dir)
		for _, name := range s.named(t) {
			key := fmt.Sprintf("%s: %s", dir, name)
			found[key] = true
			switch test := tested[key]; {
			case test == "":
				t.Errorf("no test lets %q panic: write one and name it in the table", key)
			case !tests[test]:
				t.Errorf("%s is no test of %s", test, dir)
			}
		}
	}
	for key := range tested {
		if !found[key] {
			t.Errorf("there is no guard %q", key)
		}
	}
}
