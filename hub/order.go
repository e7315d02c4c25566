package hub

import "time"

// MaxOrder bounds the body of an [Order], in bytes.
const MaxOrder = 32 << 10

// Order is something that every node of a hub is to do, such as ending the
// connections of a user. To do it twice does no harm.
type Order struct {
	// Body says what is to be done. Whoever brings it to the nodes does not look
	// inside.
	Body []byte
	// Name makes it a standing order, which nodes that start later are given as
	// well, until another one of the same name replaces it. Empty: it is not.
	Name string
	// Lasts is after how long a standing order ends; 0 means that it does not.
	Lasts time.Duration
}

// Answers is what the other nodes said to an [Order] in the time that was waited for
// them.
type Answers struct {
	// Nodes counts those that have done it, and Ended the connections that it ended
	// there.
	Nodes, Ended int
	// Pending counts those that were told and have not done it: they did not answer
	// in time, or did not understand the order.
	Pending int
}

// Executor carries out orders of other nodes. Its methods are called by one goroutine
// at a time.
type Executor interface {
	// Execute does what an order says that was given some time ago, and returns how
	// many connections it ended. An error means that it did nothing, because it does
	// not understand the order: a newer version may have given it.
	Execute(body []byte, ago time.Duration) (ended int, err error)
	// Informed says, once, that all standing orders have been executed that there
	// were when this node started.
	Informed()
}
