package policy

import "fmt"

// Action is something a client wants to do in a room.
type Action uint8

const (
	// Subscribe is to receive the messages of a channel, those included that were
	// missed and can be recovered.
	Subscribe Action = iota
	// Publish is to send a message to everyone in the channel, or to one member.
	Publish
	// Presence is to see who is in the channel.
	Presence
	// History is to read the retained messages of the channel.
	History
	// Change is to change the channel's document.
	Change

	actionCount
)

// actions are the words of tokens, and what an action is called in messages to
// people.
var actions = [actionCount]struct{ word, phrase string }{
	Subscribe: {"subscribe", "subscribe to"},
	Publish:   {"publish", "publish to"},
	Presence:  {"presence", "see the members of"},
	History:   {"history", "read the history of"},
	Change:    {"change", "change the document of"},
}

// String gives a verb for messages to people.
func (a Action) String() string {
	if a < actionCount {
		return actions[a].phrase
	}
	return fmt.Sprintf("Action(%d)", uint8(a))
}

// ParseAction reads the word by which a token names an action.
func ParseAction(word string) (Action, error) {
	for a, names := range actions {
		if names.word == word {
			return Action(a), nil
		}
	}
	return 0, fmt.Errorf("%q is none of subscribe, publish, presence, history, change", word)
}
