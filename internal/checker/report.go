package checker

import (
	"fmt"
	"strings"
)

// Kind is a way in which delivery went wrong.
type Kind uint8

const (
	// Missing: an offset was passed over, and no gap said so.
	Missing Kind = iota
	// Repeat: a message came twice.
	Repeat
	// Reorder: a message came after a later one.
	Reorder
	// Content: at a position stood something else than for others, or than what was
	// acknowledged; or nobody sent it.
	Content
	// Undelivered: a message was acknowledged and did not come.
	Undelivered
	// Stray: something came outside a subscription.
	Stray
	// Unwanted: a message came that the filter of the subscriber does not pass.
	Unwanted
	kinds
)

var kindNames = [kinds]string{"missing", "repeated", "out of order", "wrong content", "acknowledged but not delivered", "outside a subscription", "against the filter"}

// String returns the name of the kind in the report.
func (k Kind) String() string { return kindNames[k] }

// Fault is one break of the promise. If one cause hits a range of offsets, that is one
// fault.
type Fault struct {
	Kind Kind
	// Subscriber is empty when the fault is in the log itself.
	Subscriber, Channel string
	// Epoch, First and Last say where; without positions they are zero.
	Epoch       string
	First, Last uint64
	// Detail is for people.
	Detail string
}

// String returns a line of the report.
func (f Fault) String() string {
	who := f.Subscriber
	if who == "" {
		who = "the log"
	}
	where := ""
	switch {
	case f.Epoch == "":
	case f.First == f.Last:
		where = fmt.Sprintf(" %s:%d", f.Epoch, f.First)
	default:
		where = fmt.Sprintf(" %s:%d-%d", f.Epoch, f.First, f.Last)
	}
	return fmt.Sprintf("%s, %s%s: %s", who, f.Channel, where, f.Detail)
}

// faultAt returns a fault at one position.
func faultAt(k Kind, at Position, format string, args ...any) Fault {
	return faultOver(k, at.Epoch, span{at.Offset, at.Offset}, format, args...)
}

// faultOver returns a fault of several offsets.
func faultOver(k Kind, epoch string, s span, format string, args ...any) Fault {
	return Fault{Kind: k, Epoch: epoch, First: s.first, Last: s.last, Detail: fmt.Sprintf(format, args...)}
}

// String returns a position as epoch:offset.
func (p Position) String() string {
	if p.Epoch == "" {
		return "none"
	}
	return fmt.Sprintf("%s:%d", p.Epoch, p.Offset)
}

// Report is the verdict.
type Report struct {
	// Faults are examples of each kind, Counts how many there are.
	Faults []Fault
	Counts map[Kind]int
	// What was compared.
	Subscribers, Channels, Sent, Acked, Delivered int
	// What subscribers were told and went through.
	Gaps, Subscriptions, Recovered, Disconnects int

	examples int
}

// OK reports whether there is no fault.
func (r *Report) OK() bool { return len(r.Faults) == 0 }

func (r *Report) add(f Fault) {
	if r.Counts[f.Kind]++; r.Counts[f.Kind] <= r.examples {
		r.Faults = append(r.Faults, f)
	}
}

// String returns the report for people: a summary, then the faults by kind.
func (r *Report) String() string {
	var b strings.Builder
	total := 0
	for _, n := range r.Counts {
		total += n
	}
	verdict := "delivery as promised"
	if total > 0 {
		verdict = fmt.Sprintf("%d faults of delivery", total)
	}
	fmt.Fprintf(&b, "%s: %d sent, %d acknowledged, %d delivered to %d subscribers in %d channels\n",
		verdict, r.Sent, r.Acked, r.Delivered, r.Subscribers, r.Channels)
	fmt.Fprintf(&b, "%d subscriptions (%d recovered), %d gaps, %d disconnects\n", r.Subscriptions, r.Recovered, r.Gaps, r.Disconnects)
	for k := range kinds {
		r.section(&b, k)
	}
	return b.String()
}

func (r *Report) section(b *strings.Builder, k Kind) {
	n := r.Counts[k]
	if n == 0 {
		return
	}
	fmt.Fprintf(b, "%s: %d\n", k, n)
	for _, f := range r.Faults {
		if f.Kind == k {
			fmt.Fprintf(b, "  %s\n", f)
		}
	}
	if n > r.examples {
		fmt.Fprintf(b, "  … and %d more\n", n-r.examples)
	}
}
