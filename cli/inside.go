package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// scarce is how full the table of descriptors may be before doctor says so.
const scarce = .8

// hubState is what the admin endpoint says of a hub.
type hubState struct {
	Hub         string   `json:"hub"`
	Backend     string   `json:"backend"`
	Ready       bool     `json:"ready"`
	Reasons     []string `json:"reasons"`
	Connections int      `json:"connections"`
}

func (d *doctor) hubs(ctx context.Context) ([]hubState, error) {
	v, _, err := get[struct{ Hubs []hubState }](ctx, d.admin, "/realtime/hubs")
	return v.Hubs, err
}

// checkHubs asks whether each hub takes clients.
func checkHubs(ctx context.Context, d *doctor) ([]finding, error) {
	hubs, err := d.hubs(ctx)
	if err != nil {
		return nil, err
	}
	if len(hubs) == 0 {
		return []finding{{State: stateWrong, What: "no hub runs", Mend: "the running configuration has no `realtime` directive: reload Caddy with the one you mean"}}, nil
	}
	var all []finding
	for _, h := range hubs {
		f := finding{State: stateOK, What: fmt.Sprintf("%s: ready, %d connections, rooms in %s", h.Hub, h.Connections, h.Backend)}
		if !h.Ready {
			f = finding{State: stateWrong, What: h.Hub + ": not ready: " + strings.Join(h.Reasons, "; "), Mend: mendHub(h.Reasons)}
		}
		all = append(all, f)
	}
	return all, nil
}

func mendHub(reasons []string) string {
	text := strings.ToLower(strings.Join(reasons, " "))
	switch {
	case strings.Contains(text, "drain"):
		return "end the drain with: caddy realtime drain --cancel"
	case strings.Contains(text, "redis"):
		return "is Redis up, and may this machine reach it? Connections stay meanwhile, and rooms are reconciled when it is back"
	default:
		return ""
	}
}

// checkConfig looks at the running configuration.
func checkConfig(ctx context.Context, d *doctor) ([]finding, error) {
	raw, err := d.admin.call(ctx, http.MethodGet, "/config/", nil)
	if err != nil {
		return nil, err
	}
	var config any
	if err := json.Unmarshal(raw, &config); err != nil {
		return nil, err
	}
	var s survey
	s.look(config)
	return s.findings(), nil
}

// survey counts what there is in a configuration.
type survey struct {
	routes, blocks, keys, hubs int
	anyOrigin                  []string // paths of routes that any page may use
}

func (s *survey) look(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			s.look(e)
		}
	case map[string]any:
		if v["handler"] == "realtime" {
			s.route(v)
		}
		s.blocks += length(v["rooms"])
		for name, e := range v {
			if name == "hub_config" || name == "hubs" {
				s.hubs++
			}
			s.look(e)
		}
	}
}

func (s *survey) route(v map[string]any) {
	s.routes++
	s.keys += length(v["api_keys"]) + length(v["scoped_api_keys"])
	origins, _ := v["origins"].([]any)
	for _, o := range origins {
		if o == "*" {
			path, _ := v["path"].(string)
			s.anyOrigin = append(s.anyOrigin, path)
		}
	}
}

func length(v any) int {
	list, _ := v.([]any)
	return len(list)
}

func (s *survey) findings() []finding {
	switch {
	case s.routes == 0:
		return []finding{{State: stateWrong, What: "no route has a `realtime` handler", Mend: "add a `realtime` directive to the site in the Caddyfile"}}
	case s.blocks == 0:
		return []finding{{State: stateWrong, What: "there are no room blocks, so that nobody can subscribe to anything", Mend: "add a block such as: room chat:* { subscribe anyone }"}}
	}
	all := []finding{{State: stateOK, What: fmt.Sprintf("%d routes, %d room blocks, %d API keys", s.routes, s.blocks, s.keys)}}
	if s.keys == 0 {
		all = append(all, finding{State: stateNote, What: "no route has an API key, so that the app can not publish over HTTP", Mend: "add: api_key {env.REALTIME_API_KEY}"})
	}
	for _, path := range s.anyOrigin {
		all = append(all, finding{State: stateNote, What: "pages of any origin may use " + path, Mend: "name the origins of your pages, unless strangers' pages are meant to connect"})
	}
	return all
}

// checkDescriptors reads how many files and sockets the process has open. Caddy's metrics
// have it on Linux.
func checkDescriptors(ctx context.Context, d *doctor) ([]finding, error) {
	answer, err := d.admin.open(ctx, http.MethodGet, "/metrics", nil)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	open, most := descriptors(answer.Body)
	switch {
	case most == 0:
		return []finding{{State: stateNote, What: "the system does not say how many descriptors there may be"}}, nil
	case open > most*scarce:
		return []finding{{State: stateWrong, What: fmt.Sprintf("%.0f of %.0f descriptors are open; each client takes one", open, most), Mend: "raise LimitNOFILE= in the systemd unit, or `ulimit -n`"}}, nil
	default:
		return []finding{{State: stateOK, What: fmt.Sprintf("%.0f of %.0f descriptors are open; each client takes one", open, most)}}, nil
	}
}

// descriptors finds two values in the text format of Prometheus.
func descriptors(metrics io.Reader) (open, most float64) {
	for lines := bufio.NewScanner(metrics); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		n, err := strconv.ParseFloat(value, 64)
		switch {
		case err != nil:
		case name == "process_open_fds":
			open = n
		case name == "process_max_fds":
			most = n
		}
	}
	return open, most
}
