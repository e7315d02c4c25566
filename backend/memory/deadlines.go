package memory

import (
	"container/heap"
	"sync"
	"time"
)

// deadlines say when a document may have been unused for its TTL, so that it must be looked
// at. A document has at most one. It outlives the document, so that a document that is
// forgotten and begun again many times does not collect them.
type deadlines struct {
	mu sync.Mutex // a leaf
	// Guarded by mu.
	queue deadlineQueue       // the earliest first
	has   map[string]struct{} // the channels in queue; nil if there are none
}

type deadline struct {
	at      time.Time
	channel string
}

// add sets a deadline, unless the document has one. An early one does no harm: whoever takes
// it sets the next.
func (d *deadlines) add(channel string, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.has[channel]; ok {
		return
	}
	if d.has == nil {
		d.has = make(map[string]struct{})
	}
	d.has[channel] = struct{}{}
	heap.Push(&d.queue, deadline{at, channel})
}

// take removes a deadline that is over and returns its document.
func (d *deadlines) take(now time.Time) (channel string, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.queue) == 0 || d.queue[0].at.After(now) {
		return "", false
	}
	channel = heap.Pop(&d.queue).(deadline).channel
	if delete(d.has, channel); len(d.queue) == 0 {
		d.has = nil // maps do not shrink
	}
	return channel, true
}

// deadlineQueue implements [heap.Interface].
type deadlineQueue []deadline

func (q deadlineQueue) Len() int           { return len(q) }
func (q deadlineQueue) Less(i, k int) bool { return q[i].at.Before(q[k].at) }
func (q deadlineQueue) Swap(i, k int)      { q[i], q[k] = q[k], q[i] }
func (q *deadlineQueue) Push(x any)        { *q = append(*q, x.(deadline)) }

func (q *deadlineQueue) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	(*q)[last] = deadline{}
	*q = (*q)[:last]
	return x
}
