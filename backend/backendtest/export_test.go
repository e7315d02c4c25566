package backendtest

import "time"

// SetPatience is for brokers that are known to be broken.
func SetPatience(d time.Duration) { patience = d }
