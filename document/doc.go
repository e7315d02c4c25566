// Package document keeps versioned JSON documents. Many clients change a document at once,
// each optimistically, and all have the same state in the end. The package applies
// patches, decides which changes are accepted and in which order, and announces them. It
// knows no wire protocol and no store: a [Store] shares the documents between nodes, a
// function announces the changes.
//
// # Patches
//
// A change is a merge patch (RFC 7396) or a JSON patch (RFC 6902). JSON patches have one
// more operation, increment, which adds a number to the number at a path. [Apply] applies
// a whole patch or nothing. It works on a parsed tree that never changes: the new state
// shares with the old one what they have in common. So readers of the old state are not
// disturbed, and a patch that fails half way has changed nothing. Apply counts what the
// [Limits] bound as it goes, so the cost of a change depends on what it touches and not on
// the size of the document.
//
// The package is stricter than the standards. Because of clients written in JavaScript, it
// rejects members named __proto__, prototype or constructor, numbers that are infinite in
// JavaScript, and strings with half of a surrogate pair. It also rejects duplicate
// members. The operations move and copy, and replacing the whole document, must be
// allowed.
//
// Most programs use github.com/evanphx/json-patch. It works on text: for each patch it
// reads and writes the whole document, and only the bytes of copied values can be bounded.
// Here it is the oracle of the fuzz tests.
//
// To parse and apply a patch that changes one value, in a document of n KiB
// (BenchmarkApply, two cores of an EPYC, both in one run):
//
//	 n   here            evanphx/json-patch v5.9.11
//	 1    9 µs   4 KiB     38 µs   11 KiB
//	 7   10 µs   8 KiB    331 µs   78 KiB
//	78  115 µs  85 KiB  11200 µs  789 KiB
//
// In the last line most of the time is the copy of an object with 1,000 members.
//
// # Reconciliation
//
// Each accepted change makes the next version: 1, 2, 3 …. Version 0 is the empty object. A
// change names its base, the version to which it was made. [State.Decide] is the whole
// decision:
//
//   - If the key of the change is known, the change was accepted before, and the answer
//     is the one of that time.
//   - If the base is the current version, the change is accepted.
//   - If the change overlaps with no newer change, it is applied to the current version.
//   - Otherwise it is rejected.
//
// Two changes overlap if a path of one is a path of the other, or leads to one. Inserting
// into an array and removing from it move the other elements, and therefore count as a
// change of the array. Appending an element ("-") touches only the place of the element,
// so two clients can append at the same time. But if a change then names the element that
// it has appended, by its index, it counts as a change of the array. Increments of one
// number overlap with other changes of the number, but not with each other. `test` touches
// nothing: it is tested when the change is applied.
//
// # Integrity
//
// All nodes and clients that apply the same changes have the same state. Some entries have a
// hash of the state after them, see [Tree.Hash]. A node that gets another hash logs an error
// and reads the document again.
//
// # Service
//
// A [Service] makes the changes of one node, those of one document one after the other. If
// another node comes first, the service reads what it missed and tries again. A caller
// that follows a document calls [Service.Attach] and then [Service.Read]. Every change with
// a higher version is announced to it, in order. Changes with lower versions may be
// announced as well, and it must ignore them.
//
// A node applies the changes that it hears of when the document is used again. So it
// usually knows the changes of other nodes before it proposes one. While the store cannot
// be reached, the node answers with all that it has announced, marked as stale.
//
// A version alone does not identify a state: a store that was rolled back uses the version
// for another change. The anchor of an entry is a hash of all entries up to it. A caller
// of the store passes the anchor that it knows. If the store has another one, it answers
// with the whole document, in another epoch if it can.
//
// # Concurrency
//
// The methods of Service may be called by several goroutines at once. It starts no
// goroutine. Trees, patches and states are values that never change.
//
// A store may call the [Sink] with a lock of its own held. Nothing is locked while
// Service.mu is held. The turn of a document is taken before both. It is no mutex, because
// it is held during calls of the store: a goroutine that waits for it gives up when its
// context ends.
package document
