package config

import (
	"fmt"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
	"github.com/caddy-realtime/caddy-realtime/policy"
)

// parseRoom reads
//
//	room <pattern> {
//		subscribe anyone|users|granted|server
//		subscribe_pattern anyone|users|granted
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
//		filter    <expression>
//	}
func parseRoom(d *caddyfile.Dispenser, args []string, c *Hub) error {
	room := Room{Pattern: args[0]}
	if err := roomOptions.ParseBlock(d, "room", &room); err != nil {
		return err
	}
	c.Rooms = append(c.Rooms, room)
	_, err := c.compileRooms(nil) // all of them: this one may be unreachable behind another
	return err
}

var roomOptions = block.Options[*Room]{
	"subscribe":         block.Word(accessWords, func(c *Room) *string { return &c.Subscribe }, accessWord),
	"subscribe_pattern": block.Word("anyone|users|granted", func(c *Room) *string { return &c.SubscribePattern }, patternWord),
	"publish":           block.Word(accessWords, func(c *Room) *string { return &c.Publish }, accessWord),
	"read":              block.Word(accessWords, func(c *Room) *string { return &c.Read }, accessWord),
	"history":           {Syntax: "<n> [<ttl>]", Min: 1, Max: 2, Parse: parseHistory},
	"presence":          {Syntax: "[{ … }]", Block: true, Inside: presenceOptions, Parse: parsePresence},
	"document":          {Syntax: "[{ … }]", Block: true, Inside: documentOptions, Parse: parseDocument},
	"slow":              block.Word("disconnect|drop_oldest|latest", func(c *Room) *string { return &c.Slow }, slowWord),
	"rate":              rate(func(c *Room) *Rate { return &c.Rate }),
	"total_rate":        rate(func(c *Room) *Rate { return &c.TotalRate }),
	"content":           {Syntax: "{ … }", Block: true, Inside: contentOptions, Parse: parseContent},
	"schema":            {Syntax: "<file>|`<json>`", Min: 1, Max: 1, Parse: parseSchema},
	"filter":            {Syntax: "<expression>", Min: 1, Max: 1, Parse: parseFilter},
	"sanitize":          block.Word("none|text|html", func(c *Room) *string { return &c.Sanitize }, sanitizeWord),
}

const accessWords = "anyone|users|granted|server"

func accessWord(s string) error {
	_, err := policy.ParseAccess(s)
	return err
}

func patternWord(s string) error {
	_, err := parsePatternAccess(s)
	return err
}

func slowWord(s string) error {
	_, err := parseSlow(s)
	return err
}

func parseHistory(_ *caddyfile.Dispenser, args []string, c *Room) (err error) {
	if c.History.Size, err = block.ParseCount(args[0]); err != nil {
		if _, isTime := block.ParseDuration(args[0]); isTime == nil {
			return fmt.Errorf("the number of messages comes first: history 100 %s", args[0])
		}
		return err
	}
	if len(args) == 1 {
		return nil
	}
	c.History.TTL, err = block.ParseDuration(args[1])
	return err
}

func sanitizeWord(s string) error {
	_, err := policy.ParseSanitize(s)
	return err
}
