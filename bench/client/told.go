package client

import (
	"bytes"
	"context"
	"sync/atomic"
	"time"
)

// Told counts what clients read that is no message with a stamp, such as members.
type Told struct {
	Mark  string       // what is counted in it
	Marks atomic.Int64 // how often the mark came
	Bytes atomic.Int64 // of all messages, without the heads of their frames
}

// read counts the bytes of a message.
func (t *Told) read(message []byte) {
	if t != nil {
		t.Bytes.Add(int64(len(message)))
	}
}

// see counts the marks in a message.
func (t *Told) see(message []byte) {
	if t == nil {
		return
	}
	t.Marks.Add(int64(bytes.Count(message, []byte(t.Mark))))
}

// Settle waits until the clients have read nothing for as long as quiet. It returns when the last
// bytes came.
func (t *Told) Settle(ctx context.Context, quiet time.Duration) time.Time {
	last, since := t.Bytes.Load(), time.Now()
	for time.Since(since) < quiet && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
		if now := t.Bytes.Load(); now != last {
			last, since = now, time.Now()
		}
	}
	return since
}
