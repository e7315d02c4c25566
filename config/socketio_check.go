package config

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/caddy-realtime/caddy-realtime/dialect/socketio"
	"github.com/caddy-realtime/caddy-realtime/internal/block"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// The functions of this file check one option each. The Caddyfile calls them at the line of the option, and
// [SocketIO.Compile] calls all of them, because a configuration may be JSON.

func (c *SocketIO) checkPrefix() error {
	switch {
	case strings.ContainsFunc(c.Prefix, unicode.IsSpace):
		return fmt.Errorf("prefix: '%s' has a space", c.Prefix)
	case c.Prefix != "" && (protocol.ValidChannel(c.Prefix+"x") != nil || len(c.Prefix) > 50):
		return fmt.Errorf("prefix: '%s' can not be in front of the name of a room", c.Prefix)
	}
	return nil
}

func (c *SocketIO) checkConnectTimeout() error {
	if d := time.Duration(c.ConnectTimeout); d != 0 && d < time.Second || d > MaxConnectTimeout {
		return errors.New("connect_timeout: it is less than a second, or more than 10 minutes")
	}
	return nil
}

func (c *SocketIO) checkRecovery() error {
	if d := time.Duration(c.Recovery); d != 0 && d < time.Second || d > session.MaxTicketLife {
		return errors.New("recovery: it is less than a second, or more than 10 minutes")
	}
	return nil
}

func (c *SocketIO) checkCookie() error {
	if strings.Trim(c.Cookie, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != "" {
		return fmt.Errorf("cookie: '%s' can not be the name of a cookie", c.Cookie)
	}
	return nil
}

// checkNamespace checks the name of the i-th namespace.
func (c *SocketIO) checkNamespace(i int) error {
	name := c.Namespaces[i].Name
	if err := socketio.CheckNamespace(name); err != nil {
		return err
	}
	for _, before := range c.Namespaces[:i] {
		if before.Name == name {
			return fmt.Errorf("the namespace '%s' is there twice", name)
		}
	}
	return nil
}

// checkOrder finds a rule that no event gets to, because an earlier rule is about all of its events.
func (c *SocketIONamespace) checkOrder() error {
	for i, r := range c.On {
		for _, before := range c.On[:i] {
			if rule := socketio.Rule(before); rule.Covers(r.Event) {
				return fmt.Errorf("on: the rule about '%s' is never reached: the one about '%s' comes before it", r.Event, before.Event)
			}
		}
	}
	return nil
}

// TakenFromRooms describes the rules that take an event of the rooms profile away from `rooms`. They are no error:
// a rule may stand for one of the events on purpose, and `deny` alone turns one off.
func (c *SocketIO) TakenFromRooms() (all []string) {
	for _, n := range append([]*SocketIONamespace{&c.Root}, c.Namespaces...) {
		for _, r := range n.On {
			if n.Rooms && r.takesFromRooms() {
				all = append(all, "on "+r.Event+" "+string(r.Do))
			}
		}
	}
	return all
}

func (r SocketIORule) takesFromRooms() bool {
	rule := socketio.Rule(r)
	if r.Do == socketio.Deny && !strings.HasSuffix(r.Event, "*") {
		return false
	}
	for _, event := range []string{"join", "leave", "message", "presence"} {
		if rule.Covers(event) {
			return true
		}
	}
	return false
}

// notEmpty rejects an empty value in the Caddyfile. In JSON it is the default.
func notEmpty(value string, check func() error) error {
	if value == "" {
		return errors.New("the text must not be empty")
	}
	return check()
}

// checkOrigins checks origins in the Caddyfile. Those with placeholders are checked when they have a value.
func checkOrigins(origins []string, check func(string) error) error {
	if len(origins) == 1 && origins[0] == "*" {
		return nil
	}
	for _, o := range origins {
		if block.StartsWithPlaceholder(o) || strings.Contains(o, "{") {
			continue
		}
		if err := check(o); err != nil {
			return err
		}
	}
	return nil
}
