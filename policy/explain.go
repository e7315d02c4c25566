package policy

import (
	"fmt"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Rule is what decided whether somebody may do something.
type Rule string

// The rules of a [Decision].
const (
	// RuleChannelName: no channel can have the name.
	RuleChannelName Rule = "channel_name"
	// RuleNoRoom: no block matches the channel.
	RuleNoRoom Rule = "no_room"
	// RuleAccess: the word for the action in the block leaves the caller out.
	RuleAccess Rule = "access"
	// RuleGrant: the block says granted, and the caller has no grant.
	RuleGrant Rule = "grant"
	// RulePlaceholder: the channel belongs to another user or claim.
	RulePlaceholder Rule = "placeholder"
	// RuleAllowed: nothing is against it.
	RuleAllowed Rule = "allowed"
)

// Block names a room block and its place in the configuration, from 1.
type Block struct {
	Pattern string `json:"pattern"`
	Place   int    `json:"place"`
}

// BlockAccess is a block with who may do what.
type BlockAccess struct {
	Block
	// Of is how many blocks there are.
	Of int `json:"of"`
	// Access has the word for each action.
	Access map[string]string `json:"access"`
}

// Decision explains what [Room.Allow] or [Span.Allow] decides.
type Decision struct {
	// Room is the block that matches; nil if none does. Skipped are the blocks before it.
	Room    *BlockAccess
	Skipped []Block
	Rule    Rule
	// Forbids is, for a pattern, the block whose channels keep the pattern from being allowed.
	Forbids *Block
	// Err is what the client gets; nil if it is allowed.
	Err *protocol.Error
	// Because is the reason as a part of a sentence.
	Because string
}

// Explain explains whether s may do a in channel.
func (p *Policy) Explain(a Action, s *Subject, channel string) (d Decision) {
	if d.Err = protocol.ValidChannel(channel); d.Err != nil {
		d.Rule, d.Because = RuleChannelName, "no channel can have this name: "+d.Err.Message
		return d
	}
	var room *Room
	for i, r := range p.blocks() {
		here := Block{r.Pattern, i + 1}
		if !r.pattern.match(channel) {
			d.Skipped = append(d.Skipped, here)
			continue
		}
		room, d.Room = r, &BlockAccess{Block: here, Of: len(p.rooms), Access: r.accessWords()}
		break
	}
	d.Err = room.Allow(a, s, channel)
	d.Rule, d.Because = room.why(a, s, channel)
	if d.Room != nil {
		d.Because = fmt.Sprintf("the block 'room %s' (number %d of %d) %s", d.Room.Pattern, d.Room.Place, d.Room.Of, d.Because)
	}
	return d
}

func (r *Room) accessWords() map[string]string {
	words := make(map[string]string, actionCount)
	for a := range actionCount {
		words[actions[a].word] = r.access(a).String()
	}
	return words
}

// why returns the rule by which [Room.Allow] decides.
func (r *Room) why(a Action, s *Subject, channel string) (Rule, string) {
	if r == nil {
		return RuleNoRoom, "no 'room' block matches the channel"
	}
	access := r.access(a)
	says := fmt.Sprintf("says '%s' for %s", access, actions[a].word)
	switch admitted := access.admits(a, s, channel); {
	case access < Granted || access > Anyone:
		return RuleAccess, says + ": only the app may, with its API key"
	case !admitted && access == Granted:
		return RuleGrant, says + ", and the client has no grant for it"
	case !admitted:
		return RuleAccess, says + ", and the client is anonymous"
	case !r.pattern.ownedBy(s, channel):
		return RulePlaceholder, says + ", but the pattern keeps the channel for another user or claim"
	}
	return RuleAllowed, says
}

// List returns the grants in their written form.
func (g Grants) List() (list []Grant) {
	for _, one := range g.list {
		var allow []string
		for a := range actionCount {
			if one.actions&(1<<a) != 0 {
				allow = append(allow, actions[a].word)
			}
		}
		list = append(list, Grant{Pattern: one.pattern.String(), Allow: allow})
	}
	return list
}

// String returns the pattern as it was written.
func (p *pattern) String() string {
	parts := make([]string, len(p.segments))
	for i, s := range p.segments {
		parts[i] = s.String()
	}
	return strings.Join(parts, ":")
}

func (s segment) String() string {
	switch s.kind {
	case single, rest:
		return "*"
	case caller:
		return "{user}"
	case claim:
		return "{claim." + s.text + "}"
	}
	return s.text
}
