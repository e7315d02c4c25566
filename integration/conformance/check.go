package conformance

import (
	"fmt"
	"slices"
)

// Check is one promise of the protocol.
type Check struct {
	// Name is short and unique, such as "frames: the id is repeated".
	Name string
	// Section is the heading of docs/protocol.md that makes the promise.
	Section string
	needs   []need
	run     func(*run)
}

// Result is what became of a check. Without Skipped and Failed it has passed.
type Result struct {
	Check
	Skipped string // what the check needs and the target does not have
	Failed  string // what the server did instead
}

// Checks returns all checks, in the order of the page.
func Checks() []Check {
	return slices.Concat(frameChecks, compressionChecks, subscribeChecks, messageChecks, volatileChecks, slowChecks, historyChecks,
		filterChecks, positionChecks, patternChecks, directChecks, presenceChecks, graceChecks, documentChecks, strictChecks, identityChecks,
		tokenChecks, streamChecks, rejoinChecks, watchChecks, streamMemberChecks, senderChecks, limitChecks, closeChecks, goneChecks, stopChecks)
}

// Run runs the checks one after the other, and calls report after each. The error is about
// the target; what the server does wrong is in the results.
func Run(target Target, checks []Check, report func(Result)) ([]Result, error) {
	if err := target.prepare(); err != nil {
		return nil, err
	}
	var results []Result
	for _, c := range checks {
		result := Result{Check: c}
		if missing := slices.IndexFunc(c.needs, func(n need) bool { return !n.has(&target) }); missing >= 0 {
			result.Skipped = "needs " + c.needs[missing].what
		} else {
			result.Skipped, result.Failed = attempt(&target, c)
		}
		results = append(results, result)
		report(result)
	}
	return results, nil
}

// failure is the value with which a check panics when the promise is broken. So a check reads
// as the conversation that it is, without a question after each step.
type failure string

// absence is the value with which a check panics when the server does not have what the
// promise is about.
type absence string

// attempt runs a check, and returns why it does not apply or what is wrong.
func attempt(t *Target, c Check) (skipped, failed string) {
	r := &run{target: t}
	defer func() {
		r.close()
		switch v := recover().(type) {
		case nil:
		case failure:
			failed = string(v)
		case absence:
			skipped = string(v)
		default:
			panic(v)
		}
	}()
	c.run(r)
	return "", ""
}

// fail ends the running check.
func fail(format string, args ...any) { panic(failure(fmt.Sprintf(format, args...))) }
