package history

const (
	// smallest is the smallest capacity of a buffer that is not empty.
	smallest = 4
	// slack is how many times larger than its content a buffer may be. It is four, and a
	// buffer shrinks by half, so that a room whose content grows and shrinks by a little
	// does not copy its buffer each time.
	slack = 4
)

// ring is a queue in a circular buffer. Its zero value is empty.
type ring[T any] struct {
	buf  []T
	head int // of the oldest
	n    int
}

// at returns the i-th oldest.
func (r *ring[T]) at(i int) *T {
	if i += r.head; i >= len(r.buf) {
		i -= len(r.buf)
	}
	return &r.buf[i]
}

// push adds v as the newest. The buffer does not grow beyond most while that is enough.
func (r *ring[T]) push(v T, most int) {
	if r.n == len(r.buf) {
		r.resize(max(r.n+1, min(max(2*r.n, smallest), most)))
	}
	r.n++
	*r.at(r.n - 1) = v
}

// drop removes the n oldest and frees memory.
func (r *ring[T]) drop(n int) {
	if n >= r.n {
		*r = ring[T]{}
		return
	}
	var zero T
	for range n {
		*r.at(0) = zero
		if r.head++; r.head == len(r.buf) {
			r.head = 0
		}
		r.n--
	}
	fit := len(r.buf)
	for fit > smallest && r.n*slack <= fit {
		fit /= 2
	}
	if fit < len(r.buf) {
		r.resize(fit)
	}
}

// resize moves the content to a buffer of the given capacity.
func (r *ring[T]) resize(capacity int) {
	buf := make([]T, capacity)
	k := copy(buf, r.buf[r.head:min(r.head+r.n, len(r.buf))])
	copy(buf[k:], r.buf[:r.n-k])
	r.buf, r.head = buf, 0
}
