package ws

import "sync"

const (
	// firstBuffer holds most commands without growing.
	firstBuffer = 1 << 10
	// maxKept is the greatest buffer that the pool keeps after a large message.
	maxKept = 64 << 10
)

// buffers hold messages while they are read and handled. Connections share them, because most
// connections are silent most of the time.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, firstBuffer)
	return &b
}}

func getBuffer() *[]byte { return buffers.Get().(*[]byte) }

func putBuffer(b *[]byte) {
	if cap(*b) > maxKept {
		return
	}
	*b = (*b)[:0]
	buffers.Put(b)
}
