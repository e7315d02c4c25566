package policy

import (
	"fmt"
	"math"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// Rate is a token bucket's size and speed. The zero Rate means unlimited.
type Rate struct {
	// PerSecond is how many tokens come back each second; 0 means unlimited.
	PerSecond float64
	// Burst is how many tokens a full bucket holds. 0 means as many as come back
	// in one second, and at least one.
	Burst int
}

// IsZero reports whether the rate is unlimited.
func (r Rate) IsZero() bool { return r.PerSecond <= 0 }

// Size is the number of tokens a full bucket holds, with the default filled in.
func (r Rate) Size() int {
	if r.Burst > 0 {
		return r.Burst
	}
	return max(1, int(math.Ceil(min(r.PerSecond, math.MaxInt32))))
}

// Validate says what is wrong with a rate, in words for a configuration's author.
func (r Rate) Validate() error {
	switch {
	case math.IsNaN(r.PerSecond), math.IsInf(r.PerSecond, 0), r.PerSecond < 0:
		return fmt.Errorf("rate %v per second is not a positive number", r.PerSecond)
	case r.Burst < 0:
		return fmt.Errorf("burst %d is negative", r.Burst)
	case r.Burst > 0 && r.PerSecond == 0:
		return fmt.Errorf("burst %d has no rate beside it", r.Burst)
	}
	return nil
}

// Room is one room block: the rules of every channel that Pattern matches.
type Room struct {
	// Pattern says which channels the block is for. It consists of segments with
	// a colon in between. A segment is literal text, "*" for any one segment,
	// "{user}" for any one segment of which only the user named there may make
	// use, or "{claim.NAME}" for any one segment of which only those may whose
	// token has it as the claim NAME. "*" as the last segment stands for
	// everything that follows, over further colons too.
	Pattern string
	// Subscribe and Publish say who may do it. The zero value leaves it to the
	// server; that clients subscribe by default is decided by the configuration.
	Subscribe Access
	Publish   Access
	// PresenceAccess and HistoryAccess say who may see the members and read the
	// retained messages; by default who may subscribe. Under [Granted] each of
	// them is an action that a token has to name.
	PresenceAccess Access
	HistoryAccess  Access
	// ChangeAccess says who may change the document; by default who may publish.
	ChangeAccess Access
	// History is how many messages the room keeps; the zero value keeps none.
	History hub.Retention
	// Slow says what happens to a reader whose queue is full.
	Slow hub.Slow
	// Rate bounds what one publisher sends into one channel of the block.
	Rate Rate
	// TotalRate bounds what all publishers together send into one channel of the
	// block, but for the app.
	TotalRate Rate
	// Members makes the room know who is in it, and how; nil: it does not.
	Members *presence.Options
	// Document gives the room a document, and says how changes of it are judged; nil:
	// it has none.
	Document *document.Options
	// Schema is what every content has to match; nil takes anything.
	Schema *Schema
	// Sanitize says what becomes of markup in a content.
	Sanitize Sanitize
	// Bounds are the greatest content that is taken.
	Bounds Bounds

	// Written by Compile.
	pattern pattern
	checks  bool // Check has something to do
}

// Policy is an ordered list of room blocks. The nil Policy has none. It is
// immutable and may be used by several goroutines at once.
type Policy struct{ rooms []*Room }

// Compile checks the blocks and makes a policy of them. A pattern that is
// malformed, or that no channel can reach because an earlier one takes all of its
// channels, is an error that names it.
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

func (p *Policy) add(r *Room) (err error) {
	if r.pattern, err = parsePattern(r.Pattern); err != nil {
		return err
	}
	for _, earlier := range p.rooms {
		if earlier.pattern.covers(&r.pattern) {
			return fmt.Errorf("never reached, because room %q comes first and matches all of its channels", earlier.Pattern)
		}
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

// Match gives the first block, in the order of the configuration, whose pattern
// matches channel; nil when there is none. It does not depend on who asks: what a
// user may do there is for [Room.Allow] to say. A nil Policy matches nothing.
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

// Options gives what the hub needs to know of a channel; zero options where no
// block matches.
func (p *Policy) Options(channel string) hub.RoomOptions {
	r := p.Match(channel)
	if r == nil {
		return hub.RoomOptions{}
	}
	return hub.RoomOptions{Retention: r.History, Slow: r.Slow}
}

// Presence gives what presence needs to know of a channel.
func (p *Policy) Presence(channel string) presence.Options {
	if r := p.Match(channel); r != nil && r.Members != nil {
		return *r.Members
	}
	return presence.Options{}
}
