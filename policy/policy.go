package policy

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/filter"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// Rate is the speed and size of a token bucket. The zero Rate is unlimited.
type Rate struct {
	// PerSecond is how many tokens are added each second; 0 means unlimited.
	PerSecond float64
	// Burst is how many tokens a full bucket holds. 0 means as many as are added in one
	// second, and at least one.
	Burst int
}

// IsZero reports whether the rate is unlimited.
func (r Rate) IsZero() bool { return r.PerSecond <= 0 }

// Size returns the number of tokens that a full bucket holds, with the default filled in.
func (r Rate) Size() int {
	if r.Burst > 0 {
		return r.Burst
	}
	return max(1, int(math.Ceil(min(r.PerSecond, math.MaxInt32))))
}

// Validate returns an error for the author of the configuration if the rate can not be
// used.
func (r Rate) Validate() error {
	switch {
	case math.IsNaN(r.PerSecond), math.IsInf(r.PerSecond, 0), r.PerSecond < 0:
		return fmt.Errorf("the rate is %v per second; it must be a positive number", r.PerSecond)
	case r.Burst < 0:
		return fmt.Errorf("the burst is %d; it must not be negative", r.Burst)
	case r.Burst > 0 && r.PerSecond == 0:
		return fmt.Errorf("the burst is %d, but there is no rate", r.Burst)
	}
	return nil
}

// Room is one room block: the rules of every channel that Pattern matches.
type Room struct {
	// Pattern says which channels the block is for. It consists of segments with colons
	// between them. A segment is literal text, "*" for any one segment, "{user}" for any
	// one segment that only the user named there may use, or "{claim.NAME}" for any one
	// segment that only callers may use whose token has it as the claim NAME. "*" as the
	// last segment matches everything that follows, including further colons. The last segment
	// may also be text with a "*" behind it: it matches what starts with the text and has more.
	Pattern string
	// Subscribe and Publish say who may do it. The zero value is [Server]. The
	// configuration decides that clients may subscribe by default.
	Subscribe Access
	Publish   Access
	// PresenceAccess and HistoryAccess say who may see the members and read the retained
	// messages. The default is the access of Subscribe. Under [Granted] each is an action
	// that the token must name.
	PresenceAccess Access
	HistoryAccess  Access
	// ChangeAccess says who may change the document. The default is the access of Publish.
	ChangeAccess Access
	// PatternAccess says who may subscribe to a pattern whose channels are all of this block.
	// The default is nobody. A block with a placeholder allows it to nobody.
	PatternAccess Access
	// History is what the room retains. The zero value retains nothing.
	History hub.Retention
	// Slow says what happens to a connection whose queue is full.
	Slow hub.Slow
	// Rate limits what one publisher publishes into one channel of the block.
	Rate Rate
	// TotalRate limits what all publishers together publish into one channel of the block,
	// except for the app.
	TotalRate Rate
	// Members gives the room presence. Nil: it has none.
	Members *presence.Options
	// Document gives the room a document and the options for its changes. Nil: it has none.
	Document *document.Options
	// Schema is what every content must match. Nil accepts any content.
	Schema *Schema
	// Sanitize says what happens to markup in a content.
	Sanitize Sanitize
	// Bounds limit the content.
	Bounds Bounds
	// Filter chooses the messages that a subscriber gets, whatever it asks for. Nil chooses
	// all.
	Filter *filter.Filter

	// Written by Compile.
	pattern pattern
	checks  bool // Check has something to do
}

// Policy is an ordered list of room blocks. A nil Policy has none. It is immutable, and
// several goroutines may use it at once.
type Policy struct{ rooms []*Room }

// Compile compiles the blocks. It returns an error that names the pattern if a pattern is
// malformed, or if no channel can reach it because an earlier one matches all of its
// channels.
func Compile(rooms []Room) (*Policy, error) {
	p := &Policy{rooms: make([]*Room, 0, len(rooms))}
	for i := range rooms {
		r := rooms[i]
		if err := p.add(&r); err != nil {
			return nil, fmt.Errorf("room %q: %w", r.Pattern, err)
		}
	}
	return p, nil
}

// Reached returns the blocks that have channels which no earlier one has.
func Reached(rooms []Room) (all []Room) {
	p := new(Policy)
	for _, r := range rooms {
		if q := p.OrElse(r); q != p {
			p, all = q, append(all, r)
		}
	}
	return all
}

// OrElse returns the policy with one more block at its end; the policy itself if the block is never
// reached, or can not be compiled.
func (p *Policy) OrElse(r Room) *Policy {
	next := &Policy{rooms: slices.Clone(p.rooms)}
	if next.add(&r) != nil {
		return p
	}
	return next
}

func (p *Policy) add(r *Room) (err error) {
	if r.pattern, err = parsePattern(r.Pattern); err != nil {
		return err
	}
	for _, earlier := range p.rooms {
		if earlier.pattern.covers(&r.pattern) {
			return fmt.Errorf("never reached, because room %q comes first and matches all of its channels", earlier.Pattern)
		}
	}
	if r.spans() && (r.pattern.personal || !strings.Contains(r.Pattern, "*")) {
		return errors.New("'subscribe_pattern' needs a pattern with a * and without a placeholder")
	}
	if r.History.Size < 0 || r.History.TTL < 0 {
		return fmt.Errorf("history %d %v is negative", r.History.Size, r.History.TTL)
	}
	if err = r.Rate.Validate(); err != nil {
		return err
	}
	if err = r.TotalRate.Validate(); err != nil {
		return fmt.Errorf("total_rate: %w", err)
	}
	if err = r.prepareChecks(); err != nil {
		return err
	}
	r.fillInAccess()
	p.rooms = append(p.rooms, r)
	return nil
}

// Match returns the first block, in the order of the configuration, whose pattern matches
// channel, or nil. It does not depend on the caller: [Room.Allow] decides what a caller may
// do. A nil Policy matches nothing.
func (p *Policy) Match(channel string) *Room {
	if p == nil {
		return nil
	}
	for _, r := range p.rooms {
		if r.pattern.match(channel) {
			return r
		}
	}
	return nil
}

// Options returns the options of a channel for the hub. They are zero if no block matches.
func (p *Policy) Options(channel string) hub.RoomOptions {
	r := p.Match(channel)
	if r == nil {
		return hub.RoomOptions{}
	}
	o := hub.RoomOptions{Retention: r.History, Slow: r.Slow}
	if r.spans() {
		o.Feed = r.Pattern
	}
	return o
}

// Presence returns the options of a channel for presence.
func (p *Policy) Presence(channel string) presence.Options {
	if r := p.Match(channel); r != nil && r.Members != nil {
		return *r.Members
	}
	return presence.Options{}
}
