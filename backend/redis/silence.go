package redis

// silentTicks is how often nothing may have come until something is done about it.
const silentTicks = 4

// silence is for how long nothing has come on a subscribed connection. It is counted in
// ticks and not by the clock: when this process does not get to run, what has come waits
// to be read, and a process that was stopped for long has not waited for any of it.
type silence struct {
	heard uint64 // how much had come
	ticks int    // since then, or since it was asked
	asked bool   // something has been sent that has to come
}

// tick is told how much has come by now. It gives whether something is to be sent that
// has to come, and whether that did not.
func (s *silence) tick(heard uint64) (ask, silent bool) {
	if heard != s.heard {
		*s = silence{heard: heard}
		return false, false
	}
	if s.ticks++; s.ticks < silentTicks {
		return false, false
	}
	s.ticks = 0
	return !s.asked, s.asked
}
