package conformance

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Target is the server that is checked. Everything but URL and Plain may be missing; then
// the checks that need it are skipped.
type Target struct {
	// URL is where WebSockets are opened: ws, wss, http or https.
	URL string
	// API is where the HTTP API and event streams are. Default: URL, with http for ws.
	API string
	// Header goes with each handshake and request, such as Origin.
	Header http.Header
	// Token is a token that the server accepts by the command authenticate.
	Token string
	// Secret is the secret with which the server verifies tokens (HS256). With it the checks make
	// tokens of their own: of several users, and such that expire.
	Secret string
	// Key is an API key that may publish, disconnect and revoke.
	Key string
	// Method is a method that the app behind the server answers.
	Method string
	// Rooms are channels by what they are for. The client may subscribe and publish there
	// without a token. A * at the end stands for a name that each check chooses at random:
	// so no check sees what another one left behind.
	Rooms map[Room]string
	// Connections is how many connections the server takes of one client; 0 means that there are
	// too many to try.
	Connections int
	// Grace is how long a member of the room Presence stays after its connection broke; 0: unknown.
	Grace time.Duration
	// Drain makes the server send its clients away, as before it stops. Replace makes it give its
	// address to another configuration, so that the connections' own is gone. Stop ends the server.
	// They end what the other checks need, and so come last. Nil skips their checks.
	Drain, Replace, Stop func() error
	// Timeout is how long a check waits for each frame. Default: 5 seconds.
	Timeout time.Duration
	// Patience is how long a check may wait for what the server does by the clock: heartbeats, and
	// the end of a token. Default: Timeout.
	Patience time.Duration
}

// Room says what a channel has to have.
type Room string

// The rooms of a target.
const (
	Plain    Room = "plain"    // without history and presence
	History  Room = "history"  // with a history of at least 20 messages
	Presence Room = "presence" // with presence
	Document Room = "document" // with a document
	Strict   Room = "strict"   // with a document that takes only changes of its current version
	Pattern  Room = "pattern"  // clients may subscribe to patterns; ends with :*
	Limited  Room = "limited"  // plain, with a rate of a few messages a second for each publisher
	Closed   Room = "closed"   // opened for nobody
	Schema   Room = "schema"   // plain, with a schema that takes objects alone
)

// Rooms lists the rooms of a target with their descriptions, for the flags of the command.
var Rooms = []struct {
	Room Room
	Help string
}{
	{Plain, "a channel without history and presence, where everybody may subscribe and publish"},
	{History, "the same with a history of at least 20 messages"},
	{Presence, "the same with presence"},
	{Document, "the same with a document"},
	{Strict, "the same with a document and conflict strict"},
	{Pattern, "channels that may be subscribed to by a pattern; ends with :*"},
	{Limited, "a plain channel that takes only a few messages a second of one publisher"},
	{Closed, "a channel that is opened for nobody"},
	{Schema, "a plain channel with a schema by which each content is an object"},
}

// need is something that a check needs of the target.
type need struct {
	what string
	has  func(*Target) bool
}

var (
	needToken       = need{"--token, a token that the server accepts, or --secret", func(t *Target) bool { return t.Token != "" }}
	needSecret      = need{"--secret, with which the server verifies tokens", func(t *Target) bool { return t.Secret != "" }}
	needKey         = need{"--key, an API key", func(t *Target) bool { return t.Key != "" }}
	needCall        = need{"--method, a method that the app answers", func(t *Target) bool { return t.Method != "" }}
	needConnections = need{"--connections, how many the server takes of one client", func(t *Target) bool { return t.Connections > 0 }}
	needDrain       = need{"--drain, a command that sends the server's clients away", func(t *Target) bool { return t.Drain != nil }}
	needGrace       = need{"--grace, how long a member stays whose connection broke", func(t *Target) bool { return t.Grace > 0 }}
	needStop        = need{"--stop, a command that stops the server", func(t *Target) bool { return t.Stop != nil }}
	needReplace     = need{"--replace, a command that gives the address to another configuration", func(t *Target) bool { return t.Replace != nil }}
)

// needRoom is the need for a channel.
func needRoom(room Room) need {
	return need{fmt.Sprintf("--%s, a channel", room), func(t *Target) bool { return t.Rooms[room] != "" }}
}

// prepare checks the target and fills in its defaults.
func (t *Target) prepare() error {
	u, err := url.Parse(t.URL)
	if err != nil {
		return err
	}
	scheme, ok := map[string]string{"ws": "http", "wss": "https", "http": "http", "https": "https"}[u.Scheme]
	if !ok || u.Host == "" {
		return fmt.Errorf("%q is not an address such as ws://localhost:8080/realtime", t.URL)
	}
	u.Scheme = scheme
	t.URL = u.String()
	if t.API == "" {
		u.RawQuery = ""
		t.API = u.String()
	}
	t.API = strings.TrimSuffix(t.API, "/")
	if t.Timeout == 0 {
		t.Timeout = 5 * time.Second
	}
	t.Patience = max(t.Patience, t.Timeout)
	if t.Token == "" && t.Secret != "" {
		t.Token = sign(t.Secret, unique(), time.Hour)
	}
	if p := t.Rooms[Pattern]; p != "" && !strings.HasSuffix(p, ":*") {
		return fmt.Errorf("the channel for patterns %q does not end with :*", p)
	}
	return t.reach()
}

// reach returns an error if there is no server. Otherwise each check would say so.
func (t *Target) reach() error {
	u, err := url.Parse(t.URL)
	if err != nil {
		return err
	}
	conn, err := connect(u, t.Timeout)
	if err != nil {
		return fmt.Errorf("there is no server at %s (%w); name yours with --url", t.URL, err)
	}
	return conn.Close()
}
