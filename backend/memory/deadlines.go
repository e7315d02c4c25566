package memory

import (
	"container/heap"
	"sync"
	"time"
)

// deadlines say when a document may have been unused for its TTL, so that it must be looked
// at. A document has at most one.
type deadlines struct {
	mu sync.Mutex // a leaf
	// Guarded by mu; the earliest first.
	queue deadlineQueue
}

type deadline struct {
	at      time.Time
	channel string
}

func (d *deadlines) add(channel string, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	heap.Push(&d.queue, deadline{at, channel})
}

// take removes a deadline that is over and returns its document.
func (d *deadlines) take(now time.Time) (channel string, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.queue) == 0 || d.queue[0].at.After(now) {
		return "", false
	}
	return heap.Pop(&d.queue).(deadline).channel, true
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
