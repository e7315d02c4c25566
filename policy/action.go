package policy

import "fmt"

// Action is what a client wants to do in a room.
type Action uint8

const (
	// Subscribe is to receive the messages of a channel, including missed ones that can be
	// recovered.
	Subscribe Action = iota
	// Publish is to send a message to all subscribers of the channel, or to one member.
	Publish
	// Presence is to see the members of the channel.
	Presence
	// History is to read the retained messages of the channel.
	History
	// Change is to change the channel's document.
	Change

	actionCount
)

// actions have the word that tokens use for an action, and the phrase that messages to
// people use.
var actions = [actionCount]struct{ word, phrase string }{
	Subscribe: {"subscribe", "subscribe to"},
	Publish:   {"publish", "publish to"},
	Presence:  {"presence", "see the members of"},
	History:   {"history", "read the history of"},
	Change:    {"change", "change the document of"},
}

// String returns the phrase for messages to people, such as "publish to".
func (a Action) String() string {
	if a < actionCount {
		return actions[a].phrase
	}
	return fmt.Sprintf("Action(%d)", uint8(a))
}

// ParseAction parses the word of a token.
func ParseAction(word string) (Action, error) {
	for a, names := range actions {
		if names.word == word {
			return Action(a), nil
		}
	}
	return 0, fmt.Errorf("%q is none of subscribe, publish, presence, history, change", word)
}
