// Package checker decides whether messages were delivered as promised. Tests, the
// load generator and the fault drills use the same one.
//
// Publishers write down what they sent and what was acknowledged, subscribers what
// they saw, each as it happens. [Checker.Check] compares them when all has settled
// and reports every break of the promise: in a channel with positions a subscriber
// sees one gap-free sequence, the same as everybody else, or is told of a gap.
//
// What counts as told: a gap event, and a subscription that says it did not
// recover. Either puts the subscriber at a position, and what lies between is
// explained. Reconnecting explains nothing by itself: a subscription that says it
// recovered has to continue the sequence seen before.
//
// Channels without positions promise less. There a message may be lost to a fault
// without a word, but it does not come twice, and the messages of one publisher
// keep their order. Options.Lossless holds such channels to every message; it is
// for runs without faults.
//
// # What it costs
//
// A delivered message takes about five bytes and no allocation of its own: payload
// ids are kept once. 200 subscribers with 100,000 messages each are 100 MB and are
// checked within a second or so.
//
// # Concurrency
//
// All methods may be called by several goroutines at once. Each [Subscriber] and
// each [Publisher] has a lock of its own and shares nothing with the others but
// the table of ids, so that recording does not slow down what is measured. The
// events of one subscriber have to be recorded in the order in which they came,
// and the messages of one publisher in the order in which they were sent.
package checker
