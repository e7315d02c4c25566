package realtime

import (
	"fmt"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/policy"
)

// parseRoom reads
//
//	room <pattern> {
//		subscribe anyone|users|granted|server
//		publish   anyone|users|granted|server
//		read      anyone|users|granted|server
//		history   <n> [<ttl>]
//		presence  [{ … }]
//		document  [{ … }]
//		slow      disconnect|drop_oldest|latest
//		rate      <n>/s [<burst>]
//		total_rate <n>/s [<burst>]
//		content   { … }
//		schema    <file>|`<json>`
//		sanitize  none|text|html
//	}
func parseRoom(d *caddyfile.Dispenser, args []string, c *HubConfig) error {
	room := RoomConfig{Pattern: args[0]}
	if err := roomOptions.parseBlock(d, "room", &room); err != nil {
		return err
	}
	c.Rooms = append(c.Rooms, room)
	_, err := c.compileRooms(nil) // all of them: this one may be unreachable behind another
	return err
}

var roomOptions = options[*RoomConfig]{
	"subscribe":  word(accessWords, func(c *RoomConfig) *string { return &c.Subscribe }, accessWord),
	"publish":    word(accessWords, func(c *RoomConfig) *string { return &c.Publish }, accessWord),
	"read":       word(accessWords, func(c *RoomConfig) *string { return &c.Read }, accessWord),
	"history":    {syntax: "<n> [<ttl>]", min: 1, max: 2, parse: parseHistory},
	"presence":   {syntax: "[{ … }]", block: true, parse: parsePresence},
	"document":   {syntax: "[{ … }]", block: true, parse: parseDocument},
	"slow":       word("disconnect|drop_oldest|latest", func(c *RoomConfig) *string { return &c.Slow }, slowWord),
	"rate":       rate(func(c *RoomConfig) *RateConfig { return &c.Rate }),
	"total_rate": rate(func(c *RoomConfig) *RateConfig { return &c.TotalRate }),
	"content":    {syntax: "{ … }", block: true, parse: parseContent},
	"schema":     {syntax: "<file>|`<json>`", min: 1, max: 1, parse: parseSchema},
	"sanitize":   word("none|text|html", func(c *RoomConfig) *string { return &c.Sanitize }, sanitizeWord),
}

const accessWords = "anyone|users|granted|server"

// word is an option that is one of a few words.
func word[T any](syntax string, field func(T) *string, check func(string) error) option[T] {
	return option[T]{syntax: syntax, min: 1, max: 1, parse: func(_ *caddyfile.Dispenser, args []string, c T) error {
		*field(c) = args[0]
		return check(args[0])
	}}
}

func accessWord(s string) error {
	_, err := policy.ParseAccess(s)
	return err
}

func slowWord(s string) error {
	_, err := parseSlow(s)
	return err
}

func parseHistory(_ *caddyfile.Dispenser, args []string, c *RoomConfig) (err error) {
	if c.History.Size, err = parseCount(args[0]); err != nil {
		if _, isTime := parseDuration(args[0]); isTime == nil {
			return fmt.Errorf("the number of messages comes first: history 100 %s", args[0])
		}
		return err
	}
	if len(args) == 1 {
		return nil
	}
	c.History.TTL, err = parseDuration(args[1])
	return err
}
