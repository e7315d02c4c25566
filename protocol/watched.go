package protocol

// Watched says which users that a client watches are online, and which are not. Dialects that have such
// an event send it; the native protocol has none.
type Watched struct{ Online, Offline []string }
