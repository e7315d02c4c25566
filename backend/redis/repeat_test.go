package redis

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

// record returns the Redis key and the text that are stored for an idempotency key.
func (s *server) record(t *testing.T, key string) (name, text string) {
	t.Helper()
	for _, name := range s.do("keys", "rt:i:*").([]any) {
		if text, ok := s.do("hget", name, key).(string); ok {
			return name.(string), text
		}
	}
	t.Fatalf("nothing is remembered of %q", key)
	return "", ""
}

// Nodes of earlier versions share the stored results of keys. In rooms with history they can
// read only a position. In rooms without history they store an empty text.
func TestKeysOfEarlierVersions(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	n := newNode(t, checker.New(checker.Options{}), "node", patientOptions(s.Addr))
	n.publishWithKey(t, "kept", "k", kept)
	if _, text := s.record(t, "k"); !regexp.MustCompile(`^\d+:[^:]+:1:0$`).MatchString(text) {
		t.Errorf("%q is remembered in a room with history", text)
	}
	n.publishWithKey(t, "plain", "p", hub.Retention{})
	name, text := s.record(t, "p")
	if !regexp.MustCompile(`^\d+:[0-9a-f]+$`).MatchString(text) {
		t.Errorf("%q is remembered in a room without", text)
	}
	at, _, _ := strings.Cut(text, ":")
	s.do("hset", name, "p", at+":")
	for _, keep := range []hub.Retention{{}, kept} {
		m := &hub.Message{Channel: "plain", Content: []byte("another")}
		p, err := n.Publish(t.Context(), m, hub.PublishOptions{Retention: keep, Key: "p"})
		if err != nil || p != (hub.Published{Duplicate: true}) {
			t.Errorf("a message whose first is not known: %+v, %v", p, err)
		}
	}
}

// A message that the log does not have any more, or a message of another log, can not be
// compared.
func TestRepeatOfWhatIsTrimmed(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	n := newNode(t, checker.New(checker.Options{}), "node", patientOptions(s.Addr))
	publish := func(content string) (hub.Published, error) {
		return n.Publish(t.Context(), &hub.Message{Channel: "room", Content: []byte(content)}, hub.PublishOptions{Retention: kept, Key: "k"})
	}
	first, err := publish("1")
	if err != nil {
		t.Fatal(err)
	}
	if p, err := publish("2"); !errors.Is(err, hub.ErrKeyReused) || p != (hub.Published{}) {
		t.Errorf("while the first is there: %+v, %v", p, err)
	}
	for _, gone := range [][]any{{"xtrim", "rt:s:{room}", "maxlen", 0}, {"hset", "rt:m:{room}", "e", "other"}} {
		s.do(gone...)
		if p, err := publish("2"); err != nil || !p.Duplicate || p.Position != first.Position {
			t.Errorf("after %v: %+v, %v", gone, p, err)
		}
	}
}
