package askapp

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// Clients choose the names of channels, and some of them their user id. In the path of a
// rewrite a placeholder would be taken apart again: "a/../admin" becomes another path,
// "a?b" and "a#b" become "a", and "%2e" becomes ".". So the routes are changed before they
// are provisioned: in the path of a rewrite the placeholders stand for the escaped value.
// Where that does not help, nothing is asked.

// pathUse says where the routes use a value that clients choose.
type pathUse struct {
	path  bool // in the path of a rewrite, escaped
	loose bool // in an option that may become a path, not escaped
}

// pathPrefix stands before the name of a value in the placeholder with its escaped form.
const pathPrefix = "realtime.path."

// chosen are the uses of all values that clients choose, by name.
type chosen map[string]*pathUse

// walker looks through routes for placeholders with values that clients choose.
type walker struct {
	placeholder *regexp.Regexp
	chosen      chosen
}

func newWalker(names []string) *walker {
	quoted, uses := make([]string, len(names)), make(chosen)
	for i, name := range names {
		quoted[i], uses[name] = regexp.QuoteMeta(name), new(pathUse)
	}
	// The query and the headers of a request may have the same values.
	const prefixes = `realtime\.|http\.request\.uri\.query\.|http\.request\.header\.x-realtime-|http\.auth\.`
	return &walker{regexp.MustCompile(`(?i)\{(?:` + prefixes + `)(` + strings.Join(quoted, "|") + `)(?:\.id)?\}`), uses}
}

// guardPaths returns the routes with the placeholders in paths replaced by the escaped
// ones, and where they use which of the named values.
func guardPaths(routes caddyhttp.RouteList, names []string) (caddyhttp.RouteList, chosen, error) {
	text, err := json.Marshal(routes)
	if err != nil {
		return nil, nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var all any
	if err = d.Decode(&all); err != nil {
		return nil, nil, err
	}
	w := newWalker(names)
	if len(names) > 0 {
		w.routes(all)
	}
	if text, err = json.Marshal(all); err != nil {
		return nil, nil, err
	}
	var guarded caddyhttp.RouteList
	err = json.Unmarshal(text, &guarded)
	return guarded, w.chosen, err
}

// routes looks at the handlers of routes. Matchers only compare.
func (w *walker) routes(routes any) {
	list, _ := routes.([]any)
	for _, route := range list {
		options, _ := route.(map[string]any)
		handlers, _ := options["handle"].([]any)
		for _, h := range handlers {
			if handler, ok := h.(map[string]any); ok {
				w.handler(handler)
			}
		}
	}
}

// handler looks at one handler. An option of a handler that is not known here may become
// a path.
func (w *walker) handler(h map[string]any) {
	switch h["handler"] {
	case "headers", "static_response":
		return // become headers and a body
	case "subroute":
		w.routes(h["routes"])
		if failed, ok := h["errors"].(map[string]any); ok {
			w.routes(failed["routes"])
		}
		return
	case "rewrite":
		w.rewrite(h)
		return
	case "invoke": // its routes are defined elsewhere, and also for other requests
		for _, use := range w.chosen {
			use.loose = true
		}
		return
	}
	for name, option := range h {
		switch {
		case name == "rewrite":
			if rewrite, ok := option.(map[string]any); ok {
				w.rewrite(rewrite)
			}
		case name == "handle_response":
			w.responses(option)
		case name != "headers":
			w.loose(option)
		}
	}
}

// responses looks at the routes that handle the answers of a proxy.
func (w *walker) responses(list any) {
	all, _ := list.([]any)
	for _, one := range all {
		if response, ok := one.(map[string]any); ok {
			w.routes(response["routes"])
		}
	}
}

// rewrite escapes the placeholders in the path of a rewrite. Caddy itself escapes those in
// its query.
func (w *walker) rewrite(options map[string]any) {
	for name, option := range options {
		uri, isText := option.(string)
		switch {
		case name == "uri" && isText:
			path, query, asked := strings.Cut(uri, "?")
			path = w.escape(path)
			if asked {
				path += "?" + query
			}
			options[name] = path
		case name != "query":
			w.loose(option)
		}
	}
}

func (w *walker) escape(path string) string {
	return w.placeholder.ReplaceAllStringFunc(path, func(placeholder string) string {
		name := strings.ToLower(w.placeholder.FindStringSubmatch(placeholder)[1])
		w.chosen[name].path = true
		return "{" + pathPrefix + name + "}"
	})
}

// loose looks for placeholders in an option of any form.
func (w *walker) loose(option any) {
	switch option := option.(type) {
	case string:
		for _, found := range w.placeholder.FindAllStringSubmatch(option, -1) {
			w.chosen[strings.ToLower(found[1])].loose = true
		}
	case []any:
		for _, one := range option {
			w.loose(one)
		}
	case map[string]any:
		for name, one := range option {
			w.loose(name)
			w.loose(one)
		}
	}
}

// allow reports whether the routes can be asked with the values without becoming a question
// about something else.
func (c chosen) allow(values map[string]string) bool {
	for name, use := range c {
		if !use.allow(values[name]) {
			return false
		}
	}
	return true
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
