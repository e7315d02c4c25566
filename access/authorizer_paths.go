package access

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/auth"
)

// Clients choose the names of channels, and some of them their user id. In the path of a
// rewrite a placeholder would be taken apart again: "a/../admin" becomes another path,
// "a?b" and "a#b" become "a", and "%2e" becomes ".". So the routes of `authorize` are
// changed before they are provisioned: in the path of a rewrite the placeholders stand for
// the escaped value. Where that does not help, a question is answered with no.

// pathUse says where the routes use a value that clients choose.
type pathUse struct {
	path  bool // in the path of a rewrite, escaped
	loose bool // in an option that may become a path, not escaped
}

// chosen are the uses of all values that clients choose.
type chosen struct{ channel, user pathUse }

// chosenPlaceholder matches the placeholders with values that clients choose. The query
// and the headers of a question have the same values.
var chosenPlaceholder = regexp.MustCompile(`(?i)\{(?:realtime\.|http\.request\.uri\.query\.|http\.request\.header\.x-realtime-|http\.auth\.)(channel|user)(?:\.id)?\}`)

// guardPaths returns the routes with the placeholders in paths replaced by the escaped
// ones, and where they use what.
func guardPaths(routes caddyhttp.RouteList) (caddyhttp.RouteList, chosen, error) {
	var uses chosen
	text, err := json.Marshal(routes)
	if err != nil {
		return nil, uses, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var all any
	if err = d.Decode(&all); err != nil {
		return nil, uses, err
	}
	uses.routes(all)
	if text, err = json.Marshal(all); err != nil {
		return nil, uses, err
	}
	var guarded caddyhttp.RouteList
	err = json.Unmarshal(text, &guarded)
	return guarded, uses, err
}

// routes looks at the handlers of routes. Matchers only compare.
func (c *chosen) routes(routes any) {
	list, _ := routes.([]any)
	for _, route := range list {
		options, _ := route.(map[string]any)
		handlers, _ := options["handle"].([]any)
		for _, h := range handlers {
			if handler, ok := h.(map[string]any); ok {
				c.handler(handler)
			}
		}
	}
}

// handler looks at one handler. An option of a handler that is not known here may become
// a path.
func (c *chosen) handler(h map[string]any) {
	switch h["handler"] {
	case "headers", "static_response":
		return // become headers and a body
	case "subroute":
		c.routes(h["routes"])
		if failed, ok := h["errors"].(map[string]any); ok {
			c.routes(failed["routes"])
		}
		return
	case "rewrite":
		c.rewrite(h)
		return
	case "invoke": // its routes are defined elsewhere, and also for other requests
		c.channel.loose, c.user.loose = true, true
		return
	}
	for name, option := range h {
		switch {
		case name == "rewrite":
			if rewrite, ok := option.(map[string]any); ok {
				c.rewrite(rewrite)
			}
		case name == "handle_response":
			c.responses(option)
		case name != "headers":
			c.loose(option)
		}
	}
}

// responses looks at the routes that handle the answers of a proxy.
func (c *chosen) responses(list any) {
	all, _ := list.([]any)
	for _, one := range all {
		if response, ok := one.(map[string]any); ok {
			c.routes(response["routes"])
		}
	}
}

// rewrite escapes the placeholders in the path of a rewrite. Caddy itself escapes those in
// its query.
func (c *chosen) rewrite(options map[string]any) {
	for name, option := range options {
		uri, isText := option.(string)
		switch {
		case name == "uri" && isText:
			path, query, asked := strings.Cut(uri, "?")
			path = c.escape(path)
			if asked {
				path += "?" + query
			}
			options[name] = path
		case name != "query":
			c.loose(option)
		}
	}
}

func (c *chosen) escape(path string) string {
	return chosenPlaceholder.ReplaceAllStringFunc(path, func(placeholder string) string {
		value := strings.ToLower(chosenPlaceholder.FindStringSubmatch(placeholder)[1])
		c.use(value).path = true
		return "{realtime.path." + value + "}"
	})
}

// loose looks for placeholders in an option of any form.
func (c *chosen) loose(option any) {
	switch option := option.(type) {
	case string:
		for _, found := range chosenPlaceholder.FindAllStringSubmatch(option, -1) {
			c.use(strings.ToLower(found[1])).loose = true
		}
	case []any:
		for _, one := range option {
			c.loose(one)
		}
	case map[string]any:
		for name, one := range option {
			c.loose(name)
			c.loose(one)
		}
	}
}

func (c *chosen) use(value string) *pathUse {
	if value == "channel" {
		return &c.channel
	}
	return &c.user
}

// allow reports whether the routes can be asked the question without becoming a question
// about something else.
func (c *chosen) allow(q auth.Question) bool {
	return c.channel.allow(q.Channel) && c.user.allow(q.User)
}

// allow reports whether a value stays one segment of a path. A slash does not: a rewrite
// has no way to keep it escaped. A semicolon begins parameters, which some apps ignore.
func (p pathUse) allow(value string) bool {
	dots := value != "" && strings.Trim(value, ".") == ""
	switch {
	case p.loose:
		return !dots && !strings.ContainsAny(value, `/\;?#%`)
	case p.path:
		return !dots && !strings.ContainsAny(value, `/\;`)
	}
	return true
}

// pathPlaceholders are the values that guarded routes put into paths.
func pathPlaceholders(q auth.Question) map[string]string {
	return map[string]string{"realtime.path.channel": url.PathEscape(q.Channel), "realtime.path.user": url.PathEscape(q.User)}
}
