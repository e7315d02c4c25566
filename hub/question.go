package hub

// MaxReply bounds the body of a reply to a question, in bytes. A longer one counts as none.
const MaxReply = 512 << 10

// Reply is the reply of another node to a question.
type Reply struct {
	// Node names the node.
	Node string
	Body []byte
}

// Replies are the replies of the other nodes that came in time.
type Replies struct {
	Replies []Reply
	// Missing is how many known nodes did not reply in time, or did not understand the
	// question.
	Missing int
}

// Responder is an optional interface of an [Executor]: it answers questions of other nodes.
// Without it a node does not reply.
type Responder interface {
	// Respond returns the reply to a question. It does not block, and has no effect that
	// somebody may rely on: a question may be lost. One goroutine at a time calls it. An error means that it does not understand the question: a newer
	// version may have sent it.
	Respond(question []byte) ([]byte, error)
}
