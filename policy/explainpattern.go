package policy

import (
	"fmt"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// The rules of a [Decision] that only patterns have.
const (
	// RulePatternName: no client can subscribe to such a pattern.
	RulePatternName Rule = "pattern_name"
	// RuleSeveralRooms: a block has some channels of the pattern, but not all.
	RuleSeveralRooms Rule = "several_rooms"
)

// ExplainPattern explains whether s may subscribe to a pattern. The first block that touches the
// pattern decides: it allows the pattern, or it is [Decision.Forbids].
func (p *Policy) ExplainPattern(s *Subject, text string) (d Decision) {
	span, e := p.Span(text)
	if e != nil && e.Code == protocol.InvalidChannel {
		d.Err, d.Rule, d.Because = e, RulePatternName, "no client can subscribe to it: "+e.Message
		return d
	}
	if d.Err = e; e == nil {
		d.Err = span.Allow(s)
	}
	q, _ := parsePattern(text) // Span has accepted it
	r, here := p.firstTouching(&q, &d)
	if r == nil {
		d.Rule, d.Because = RuleNoRoom, "no 'room' block has channels of the pattern"
		return d
	}
	block := fmt.Sprintf("the block 'room %s' (number %d of %d) ", here.Pattern, here.Place, len(p.rooms))
	switch {
	case r.pattern.personal:
		d.Forbids, d.Rule = &here, RulePlaceholder
		d.Because = block + "touches the pattern, and keeps each of its channels for one user or claim"
	case !r.pattern.covers(&q):
		d.Forbids, d.Rule = &here, RuleSeveralRooms
		d.Because = block + "has some channels of the pattern, but not all; use a narrower pattern"
	default:
		d.Room = &BlockAccess{Block: here, Of: len(p.rooms), Access: map[string]string{"subscribe_pattern": r.patternWord()}}
		d.Rule, d.Because = span.why(s)
		d.Because = block + d.Because
		if d.Err != nil {
			d.Forbids = &here
		}
	}
	return d
}

// firstTouching returns the first block that has channels of a pattern, and its place. It adds the
// blocks before it to d.Skipped.
func (p *Policy) firstTouching(q *pattern, d *Decision) (*Room, Block) {
	for i, r := range p.blocks() {
		here := Block{r.Pattern, i + 1}
		if r.pattern.meets(q) {
			return r, here
		}
		d.Skipped = append(d.Skipped, here)
	}
	return nil, Block{}
}

func (r *Room) patternWord() string {
	if !r.spans() {
		return "nobody"
	}
	return r.PatternAccess.String()
}

// why returns the rule by which [Span.Allow] decides.
func (s *Span) why(to *Subject) (Rule, string) {
	if !s.Room.spans() {
		return RuleAccess, "has all channels of the pattern, but no 'subscribe_pattern'"
	}
	says := fmt.Sprintf("says '%s' for subscribe_pattern", s.Room.PatternAccess)
	switch {
	case s.Allow(to) == nil:
		return RuleAllowed, says
	case s.Room.PatternAccess == Granted:
		return RuleGrant, says + ", and the client has no grant to subscribe for the whole pattern"
	}
	return RuleAccess, says + ", and the client is anonymous"
}
