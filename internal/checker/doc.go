// Package checker decides whether messages were delivered as promised. Tests, the
// load generator and the fault drills use the same one.
//
// Publishers record what they sent and what was acknowledged, and subscribers what they
// saw, each as it happens. [Checker.Check] compares the records when nothing is on its
// way any more, and reports every break of the promise. The promise for a channel with
// positions: a subscriber sees the same sequence without holes as all others, or is
// told of a gap.
//
// A subscriber is told by a gap event, or by a subscription that says it did not
// recover. Both put the subscriber at a position and explain what lies between. A
// reconnect alone explains nothing: a subscription that says it recovered must continue
// the sequence from before.
//
// A subscriber may have a filter ([Subscriber.Filter]). The promise then is about what passes, and
// what does not pass must not come.
//
// Channels without positions promise less. A fault may lose a message there without a
// word. But no message comes twice, and the messages of one publisher keep their order.
// Options.Lossless expects every message in such channels, too; it is for runs without
// faults.
//
// # What it costs
//
// A delivered message takes about five bytes and no allocation of its own, because
// payload ids are kept once. 200 subscribers with 100,000 messages each take 100 MB, and
// Check needs about a second for them.
//
// # Concurrency
//
// Several goroutines may call all methods at once. Each [Subscriber] and [Publisher] has
// its own lock and shares only the table of ids with the others, so that recording does
// not slow down what is measured. Record the events of one subscriber in the order in
// which they came, and the messages of one publisher in the order in which they were
// sent.
package checker
