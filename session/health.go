package session

// Health says whether a node takes clients.
type Health struct {
	Ready bool
	// Reasons say why it is not ready.
	Reasons []string
	// Drain is the progress of the latest commanded drain; nil if there was none.
	Drain *Drain
}

// DrainState is what a node does about a commanded drain.
type DrainState string

// The states of a [Drain].
const (
	DrainIdle      DrainState = "idle"
	DrainRunning   DrainState = "draining"
	DrainDone      DrainState = "drained"
	DrainCancelled DrainState = "cancelled"
)

// Drain is the progress of a commanded drain. Times are milliseconds.
type Drain struct {
	// Hub is the name of the hub; empty where it is clear.
	Hub   string     `json:"hub,omitempty"`
	State DrainState `json:"state"`
	// Window is how long the drain takes. Started and Ends are milliseconds since 1970.
	Window  int64 `json:"window,omitempty"`
	Started int64 `json:"started,omitempty"`
	Ends    int64 `json:"ends,omitempty"`
	// Total is how many connections there were, Closed how many of them the drain has closed,
	// and Left how many connections the node has.
	Total  int `json:"total,omitempty"`
	Closed int `json:"closed,omitempty"`
	Left   int `json:"left"`
}
