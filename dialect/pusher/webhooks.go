package pusher

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/notify"
)

const (
	// holdEnds is how long channel_vacated and member_removed wait for the opposite.
	holdEnds = 3 * time.Second
	// retryWebhooks is how long webhooks are sent again.
	retryWebhooks = 5 * time.Minute
)

// webhookTypes are the events of a hub behind the webhooks. The ends need the beginnings, which may
// take them back, also if the app wants only one of the two.
var webhookTypes = map[string][]notify.Type{
	"channel_occupied": {notify.Occupied, notify.Vacated},
	"channel_vacated":  {notify.Occupied, notify.Vacated},
	"member_added":     {notify.Entered, notify.Left},
	"member_removed":   {notify.Entered, notify.Left},
	"client_event":     {notify.Message},
	"cache_miss":       {notify.CacheMiss},

	"subscription_count": {notify.Counted},
}

// Webhooks returns the sink that words the events of the app's channels as webhooks of Pusher,
// without its Post. names are those of webhooks.
func (a *App) Webhooks(names []string) notify.Sink {
	var types []notify.Type
	for _, name := range names {
		types = append(types, webhookTypes[name]...)
	}
	choice := notify.NewChoice(types, a.has).OnlyMessages(func(event, sender string) bool { return sender != "" && isClientEvent(event) })
	return notify.Sink{
		Name: "pusher:" + a.ID, Choice: choice, Hold: holdEnds, Retry: retryWebhooks,
		Form: func(b notify.Batch) []byte { return a.formWebhooks(names, b) }, Sign: a.signWebhooks,
	}
}

// Counted returns whether the subscriptions of a room are counted for clients of the app or, by the
// names of its webhooks, for the app itself; nil if none are.
func (a *App) Counted(webhooks []string) func(room string) bool {
	if !a.Counts && !slices.Contains(webhooks, "subscription_count") {
		return nil
	}
	return func(room string) bool {
		name, ok := strings.CutPrefix(room, a.Prefix)
		return ok && isCounted(name)
	}
}

// has reports whether a room is a channel of the app.
func (a *App) has(room string) bool {
	name, ok := strings.CutPrefix(room, a.Prefix)
	return ok && valid(name)
}

// webhook is one event of a request.
type webhook struct {
	Name     string  `json:"name"`
	Channel  string  `json:"channel"`
	UserID   string  `json:"user_id,omitempty"`
	Event    string  `json:"event,omitempty"`
	Data     *string `json:"data,omitempty"`
	SocketID string  `json:"socket_id,omitempty"`
	Count    *int    `json:"subscription_count,omitempty"`
}

// formWebhooks makes the body of a request; nothing if the app wants none of the events.
func (a *App) formWebhooks(names []string, b notify.Batch) []byte {
	var body struct {
		Time   int64     `json:"time_ms"`
		Events []webhook `json:"events"`
	}
	body.Time = b.Formed.UnixMilli()
	for i := range b.Events {
		if w := a.webhookOf(&b.Events[i]); slices.Contains(names, w.Name) {
			body.Events = append(body.Events, w)
		}
	}
	if len(body.Events) == 0 {
		return nil
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil // not possible: there are only texts and numbers
	}
	return text
}

// webhookOf words one event. The name is empty if Pusher has none for it.
func (a *App) webhookOf(e *notify.Event) webhook {
	name := strings.TrimPrefix(e.Channel, a.Prefix)
	w := webhook{Channel: name}
	switch e.Type {
	case notify.Occupied:
		w.Name = "channel_occupied"
	case notify.Vacated:
		w.Name = "channel_vacated"
	case notify.Entered, notify.Left:
		if !isPresence(name) {
			return w
		}
		if w.Name, w.UserID = "member_added", e.User; e.Type == notify.Left {
			w.Name = "member_removed"
		}
	case notify.Message:
		if !needsAuth(name) {
			return w
		}
		data := string(e.Content)
		w.Name, w.Event, w.Data, w.SocketID = "client_event", e.Event, &data, e.Except
		if isPresence(name) {
			w.UserID = e.Sender
		}
	case notify.CacheMiss:
		w.Name = "cache_miss"
	case notify.Counted:
		w.Name, w.Count = "subscription_count", &e.Count
	}
	return w
}

// signWebhooks makes the headers of a request. Libraries compare the content type as a whole.
func (a *App) signWebhooks(_ string, body []byte, _ time.Time) http.Header {
	key := a.Keys[0]
	mac := hmac.New(sha256.New, []byte(key.Secret))
	mac.Write(body)
	return http.Header{
		"Content-Type":       {"application/json"},
		"X-Pusher-Key":       {key.Key},
		"X-Pusher-Signature": {hex.EncodeToString(mac.Sum(nil))},
	}
}
