package config

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
)

// Room is a rule for the channels that a pattern matches.
type Room struct {
	// Pattern says which channels the rule is for. It consists of segments with a colon
	// in between. A segment is literal text, or `*` for any one segment, or `{user}` for a
	// segment that only the user of that name may use, or `{claim.NAME}` for a segment
	// that only users may use whose token has it as the claim NAME. `*` as the last
	// segment stands for all that follows; behind text, as in `private-*`, for all names that
	// start with the text. Required. Example: `chat:*`.
	Pattern string `json:"pattern"`

	// Subscribe says who may receive the messages: `anyone`, `users` (clients that are
	// not anonymous), `granted` (clients whose token grants the channel) or `server`
	// (nobody). Default: `users`.
	Subscribe string `json:"subscribe,omitempty"`

	// SubscribePattern says who may subscribe to a pattern such as `orders:*`, whose channels
	// must all be of this block: `anyone`, `users` or `granted` (clients with one grant for the
	// whole pattern). Default: nobody.
	SubscribePattern string `json:"subscribe_pattern,omitempty"`

	// Publish says who may send messages: `anyone`, `users`, `granted` or `server` (only
	// the app, with its API key). Default: `server`.
	Publish string `json:"publish,omitempty"`

	// Read says who may read the history at any time: `anyone`, `users`, `granted` or
	// `server`. A subscriber always gets what it missed while its connection was lost.
	// Default: the same as Subscribe.
	Read string `json:"read,omitempty"`

	// History is how many messages are retained, for clients that reconnect or want to
	// see the latest messages. Default: none.
	History History `json:"history,omitzero"`

	// Presence makes the room know who is in it. Default: it does not.
	Presence *Presence `json:"presence,omitempty"`

	// Document gives each channel a JSON document that clients change together. Default:
	// there is none.
	Document *Document `json:"document,omitempty"`

	// Slow says what happens when the queue of a slow client is full. `disconnect` closes
	// its connection; the client reconnects and gets what it missed from the history.
	// `drop_oldest` drops queued messages and says so with a `gap`. `latest` keeps only
	// the newest message of the channel, which fits values of which only the last one
	// counts. Default: `disconnect`.
	Slow string `json:"slow,omitempty"`

	// Rate is how fast one publisher may send messages into one channel. The app with its
	// API key is not limited. Default: no limit.
	Rate Rate `json:"rate,omitzero"`

	// TotalRate is how fast all publishers together may send messages into one channel,
	// on this node. The app with its API key is not limited and does not count. Default:
	// no limit.
	TotalRate Rate `json:"total_rate,omitzero"`

	// Content bounds what clients publish. Default: only message_size bounds it.
	Content Content `json:"content,omitzero"`

	// Schema is what every content that a client publishes has to match. Other contents
	// are rejected with SCHEMA_VIOLATION. Default: any JSON is accepted.
	Schema *Schema `json:"schema,omitempty"`

	// Filter chooses the messages that each subscriber gets: an expression in CEL over
	// `tags`, `event`, `sender`, `content`, `user` and `claim` that gives a boolean. It holds
	// for the history as well. The app with its API key gets all messages. Default: everybody
	// gets all messages.
	Filter string `json:"filter,omitempty"`

	// Sanitize says what happens to HTML in the strings that clients publish. `text`
	// removes all of it, `html` keeps the harmless part, `none` changes nothing. Default:
	// `none`.
	Sanitize string `json:"sanitize,omitempty"`
}

// History says how many messages a room retains.
type History struct {
	// Size is the greatest number of retained messages. Default: 0, which means no
	// history.
	Size int `json:"size,omitempty"`

	// TTL is how long a message is retained. Default: 0, which means until newer messages
	// take its place.
	TTL caddy.Duration `json:"ttl,omitempty"`
}

func (c *Room) compile(read ReadFile) (policy.Room, error) {
	var errs [12]error
	room := policy.Room{
		Pattern: c.Pattern,
		History: hub.Retention{Size: c.History.Size, TTL: time.Duration(c.History.TTL)},
		Rate:    policy.Rate(c.Rate), TotalRate: policy.Rate(c.TotalRate),
	}
	room.Subscribe, errs[0] = policy.ParseAccess(cmp.Or(c.Subscribe, DefaultSubscribe.String()))
	room.Publish, errs[1] = policy.ParseAccess(cmp.Or(c.Publish, DefaultPublish.String()))
	room.Slow, errs[2] = parseSlow(c.Slow)
	room.Members, room.PresenceAccess, errs[3] = c.Presence.compile()
	if c.Read != "" {
		room.HistoryAccess, errs[4] = policy.ParseAccess(c.Read)
	}
	if room.Bounds, errs[5] = c.Content.compile(); errs[5] != nil {
		errs[5] = fmt.Errorf("content: %w", errs[5])
	}
	room.Schema, errs[6] = c.Schema.compile(read)
	room.Sanitize, errs[7] = policy.ParseSanitize(cmp.Or(c.Sanitize, DefaultSanitize.String()))
	room.Document, errs[8] = c.Document.compile()
	room.ChangeAccess, errs[9] = c.Document.access()
	room.Filter, errs[10] = compileFilter(c.Filter)
	room.PatternAccess, errs[11] = parsePatternAccess(c.SubscribePattern)
	if err := errors.Join(errs[:]...); err != nil {
		return policy.Room{}, err
	}
	return room, contradiction(&room)
}

// contradiction reports options that cancel each other. They show that the author expects
// something else than what would happen.
func contradiction(r *policy.Room) error {
	anonymous := r.Subscribe == policy.Anyone || r.Publish == policy.Anyone || r.HistoryAccess == policy.Anyone || r.ChangeAccess == policy.Anyone
	appAlone := r.Publish == policy.Server && (r.ChangeAccess == policy.Default || r.ChangeAccess == policy.Server)
	switch {
	case anonymous && strings.Contains(r.Pattern, "{user}"):
		return errors.New("'anyone' contradicts '{user}' in the pattern, which leaves out anonymous clients")
	case appAlone && !r.Rate.IsZero():
		return errors.New("'rate' contradicts 'publish server', because the app is not limited")
	case appAlone && !r.TotalRate.IsZero():
		return errors.New("'total_rate' contradicts 'publish server', because the app is not limited")
	case r.History.Size == 0 && r.HistoryAccess != policy.Default:
		return errors.New("'read' is about the history, and there is none")
	case r.History.Size == 0 && r.History.TTL != 0:
		return errors.New("'history' has a time but no number of messages")
	}
	return nil
}

// parsePatternAccess reads the word for who may subscribe to patterns; none means nobody.
func parsePatternAccess(word string) (policy.Access, error) {
	switch word {
	case "":
		return policy.Default, nil
	case "anyone", "users", "granted":
		return policy.ParseAccess(word)
	}
	return 0, fmt.Errorf("'%s' is none of anyone, users, granted", word)
}

// parseSlow reads the word for a slow policy; none means the default.
func parseSlow(word string) (hub.Slow, error) {
	switch cmp.Or(word, DefaultSlow) {
	case "disconnect":
		return hub.SlowDisconnect, nil
	case "drop_oldest":
		return hub.SlowDropOldest, nil
	case "latest":
		return hub.SlowLatest, nil
	}
	return 0, fmt.Errorf("'%s' is none of disconnect, drop_oldest, latest", word)
}
