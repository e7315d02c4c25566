package drills

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// byHTTP publishes over the HTTP API: a request for each channel, or one for all
// as a batch of one item for each channel.
type byHTTP struct {
	base  string
	key   string // API key; empty for a caller without one
	batch bool
	away  bool // Redis may be: what is refused as unavailable is no refusal

	client http.Client
}

func newHTTP(base, key string, batch bool) *byHTTP {
	return &byHTTP{base: base, key: key, batch: batch, client: http.Client{Transport: new(http.Transport), Timeout: patience}}
}

func (h *byHTTP) close() { h.client.CloseIdleConnections() }

func (h *byHTTP) publish(m post) (list []outcome, err error) {
	if h.batch {
		return h.publishBatch(m)
	}
	for _, channel := range m.channels {
		var o outcome
		body := map[string]any{"content": content(m.id, m.size), "key": m.id}
		if err := h.post("/channels/"+url.PathEscape(channel)+"/messages", body, &o); err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, nil
}

func (h *byHTTP) publishBatch(m post) (list []outcome, err error) {
	var items []map[string]any
	for _, channel := range m.channels {
		items = append(items, map[string]any{"channels": []string{channel}, "content": content(m.id, m.size), "key": m.id})
	}
	var results []struct {
		Channels []struct {
			outcome
			Error json.RawMessage
		}
	}
	if err := h.post("/publish", items, &results); err != nil {
		return nil, err
	}
	for _, r := range results {
		if h.away && len(r.Channels) == 1 && bytes.Contains(r.Channels[0].Error, []byte(`"UNAVAILABLE"`)) {
			return nil, errAway
		}
		if len(r.Channels) != 1 || r.Channels[0].Error != nil {
			return nil, refusal{fmt.Sprintf("a batch was answered with %+v", results)}
		}
		list = append(list, r.Channels[0].outcome)
	}
	return list, nil
}

func (h *byHTTP) post(path string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return h.do(http.MethodPost, path, bytes.NewReader(text), answer)
}

// connections asks how many connections a channel has; -1 after an error.
func (h *byHTTP) connections(channel string) int {
	var answer struct {
		Channels []struct {
			Channel     string
			Connections int
		}
	}
	if err := h.get("/channels?limit=1000&prefix="+url.QueryEscape(channel), &answer); err != nil {
		return -1
	}
	for _, c := range answer.Channels {
		if c.Channel == channel {
			return c.Connections
		}
	}
	return 0
}

func (h *byHTTP) get(path string, answer any) error { return h.do(http.MethodGet, path, nil, answer) }

// do asks the HTTP API. An answer other than 200 is a refusal.
func (h *byHTTP) do(method, path string, body io.Reader, answer any) error {
	r, err := http.NewRequest(method, h.base+path, body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	if h.key != "" {
		r.Header.Set("Authorization", "Bearer "+h.key)
	}
	res, err := h.client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if h.away && res.StatusCode == http.StatusServiceUnavailable {
		return errAway
	}
	if res.StatusCode != http.StatusOK {
		return refusal{fmt.Sprintf("%s: %s", res.Status, data)}
	}
	return json.Unmarshal(data, answer)
}
