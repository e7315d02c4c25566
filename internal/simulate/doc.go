// Package simulate tests the core with random histories: hub, broker in memory or on disk, members,
// documents, sessions and the native dialect, on fake time and with a network in memory. It has only
// tests.
//
// # A history
//
// A seed makes a list of actions: clients connect, subscribe, publish, change documents, read slowly and
// lose their connections; the node reloads, restarts and crashes. The list is made first and run
// afterwards, so that a part of it is a history as well. A history whose run breaks a promise is made
// shorter: actions are left out as long as a promise is still broken.
//
//	go test ./internal/simulate -run TestSimulation -seed 17
//
// runs the history of one seed and prints the short one if it fails. A seed decides the actions, their
// times and the delays of the network. It does not decide which goroutine runs first within one moment,
// so a rare failure may need -again.
//
// # Who judges
//
// A client of the simulator speaks the native protocol and shares no code with the server. What the clients
// sent and saw goes to internal/checker, which judges the messages. The oracle judges what the checker does
// not know: members and their grace, documents, the log of each room at the end, and gaps without a cause.
//
// # Crashes
//
// A crash copies the file of the store while every goroutine waits, ends all connections, and goes on with
// a node on the copy. What the old node does afterwards reaches nobody. Fake time stands still during a
// commit, so the place between two steps of a commit is not a place of a crash here; integration/drills
// kills real processes. The option `sync` of the store gives the moments in which a message waits for its
// commit.
//
// # Mutations
//
// A mutation breaks one promise on purpose, in a wrapper between two parts of the product. A test for each
// one says that the judges find it.
package simulate
