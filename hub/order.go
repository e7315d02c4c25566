package hub

import "time"

// MaxOrder bounds the body of an [Order], in bytes.
const MaxOrder = 32 << 10

// Order is a task for every node, such as closing the connections of a user. Executing it
// twice does no harm.
type Order struct {
	// Body describes the task. Only the [Executor] reads it.
	Body []byte
	// Name makes it a standing order: nodes that start later execute it as well, until
	// another order of the same name replaces it. Empty means that it is none.
	Name string
	// Lasts is how long a standing order lasts; 0 means for ever.
	Lasts time.Duration
	// Ends are the names of standing orders that end with this order.
	Ends []string
}

// Answers are the answers of the other nodes to an [Order] that came in time.
type Answers struct {
	// Nodes is how many nodes executed the order, and Ended how many connections they
	// closed for it.
	Nodes, Ended int
	// Pending is how many nodes are known and did not confirm the order: they did not answer in
	// time, did not understand it, are cut off, or have died a moment ago.
	Pending int
}

// Executor executes orders of other nodes. One goroutine at a time calls its methods.
type Executor interface {
	// Execute executes an order that was issued some time ago, and returns how many
	// connections it closed. An error means that it did nothing, because it does not
	// understand the order: a newer version may have issued it.
	Execute(body []byte, ago time.Duration) (ended int, err error)
	// Informed is called once, when all standing orders have been executed that existed
	// when this node started.
	Informed()
}
