// Package document keeps versioned JSON documents: values that many change at once,
// each optimistically, and that are the same for all in the end. It knows patches,
// decides which changes are made and in which order, and tells everybody. It knows
// no wire protocol and no store: a [Store] shares the documents between nodes, a
// function announces the changes.
//
// # Patches
//
// A change is a merge patch (RFC 7396) or a JSON patch (RFC 6902), to which we add the
// operation increment: it adds a number to the one at a path. [Apply] makes all
// of it or nothing. It works on a parsed tree, which never changes: the new state
// shares with the old one what they have in common, so that the old one stays good
// for whoever reads it, and a patch that fails half way has changed nothing. What
// the [Limits] bound is counted along the way, so that a change costs what it
// touches and not what the document holds.
//
// Some things are stricter than the standards. For the sake of clients that are written
// in JavaScript, members with the names __proto__, prototype and constructor are refused,
// numbers that are infinite there, and strings with half of a surrogate pair; and so are
// members that come twice. move, copy, and replacing the whole document have to be allowed.
//
// Why not github.com/evanphx/json-patch, which most programs use: it works on text,
// and reads and writes the whole document for each patch, where only the bytes of
// copied values can be bounded. It serves as the oracle of the fuzz tests instead.
//
// To parse and apply a patch that changes one value, in a document of n KiB
// (BenchmarkApply, two cores of an EPYC, both in one run):
//
//	 n   here            evanphx/json-patch v5.9.11
//	 1    9 µs   4 KiB     38 µs   11 KiB
//	 7   10 µs   8 KiB    331 µs   78 KiB
//	78  115 µs  85 KiB  11200 µs  789 KiB
//
// What is left at the end is the copy of an object with 1,000 members.
//
// # Reconciliation
//
// Each change that is made gives the document the next version: 1, 2, 3 …; version 0
// is the empty object. A change names the version it was made to. [State.Decide] is
// the whole decision: it is made as it is if that version is the current one, and
// made on top of the current one if nothing overlaps with what has changed since, see
// below; otherwise it is refused. A change that was made before is found by its key
// and answered as it was then.
//
// Changes overlap if the path of one leads to, or is, a path of the other. To insert
// into an array or to remove from it moves the other elements, and therefore counts
// as a change of the array. To append an element ("-") touches only its own place,
// so that two can append at the same time; but a change that then names what it has
// appended, which it does by an index, counts as a change of the array. Increments of
// one number do not overlap with each other, only with other changes of it. What `test`
// looks at does not count: it is tested when the change is made.
//
// # Integrity
//
// Everybody who makes the same changes has the same state. Whether that is so is checked
// now and then: some entries come with a hash of the state after them, see [Tree.Hash],
// and a node that gets another one says so and reads the document anew.
//
// # Service
//
// A [Service] makes the changes of one node. Those of one document are made one after
// the other; with a store that other nodes use as well, the one who comes late gets
// what it missed and tries again. Whoever wants to follow a document calls
// [Service.Attach] and then [Service.Read], and is announced every change with a
// higher version, in order; of those with lower ones it may hear, too, and must
// ignore them.
//
// What a node is told of a document it makes to its own state when that is used again.
// So it knows mostly what others have changed before it proposes a change, and while the
// store can not be reached it can answer with all that it has announced, which is then
// marked as stale.
//
// A version alone does not name a state: a store that went back in time gives it to
// another change. The anchor of an entry is a hash of all up to it. Whoever asks a store
// says which anchor it knows, and a store in which that is another one answers with all
// it has, if it can in another epoch.
//
// # Concurrency
//
// The methods of Service may be called by several goroutines at once. It starts
// none. Trees, patches and states are values that never change. Locks: one of the
// store, then Service.mu, which is a leaf. The turn of a document is taken before both
// and is no mutex, because it is held across calls of the store: who waits for it
// does so only as long as its context lasts.
package document
