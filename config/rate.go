package config

// Rate is a number of events per second. The zero value means no limit.
type Rate struct {
	// PerSecond is how many events are allowed each second in the long run. It may be a
	// fraction. Default: 0, which means no limit.
	PerSecond float64 `json:"per_second,omitempty"`

	// Burst is how many events may come at once after a pause. Default: what PerSecond
	// allows in one second, and at least one; zero means the same.
	Burst int `json:"burst,omitempty"`
}
