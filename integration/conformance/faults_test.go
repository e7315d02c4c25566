package conformance

import (
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// silence is what a check says that waits for a frame in vain.
const silence = "i/o timeout"

// passes is for a server that is different, and breaks no promise.
const passes = "passes"

// faults has one way at least to break the promise of each check.
var faults = []fault{
	{"connected is the first frame, with the version", down, `"version":1`, `"version":2`, "version: 1"},
	{"the subprotocol realtime.v1 is confirmed", answer, `realtime.v1`, ``, "confirms the subprotocol"},
	{"a reply repeats an id that is a string", down, `"id":"x*"`, `"id":"x"`, silence},
	{"a reply repeats an id that is an integer", down, `9007199254740991`, `9007199254740992`, silence},
	{"an id of more than 64 bytes is an error", up, `x{65}`, `x`, "instead of error"},
	{"frames have a timestamp in milliseconds", down, `("timestamp":\d+)\d{3}`, `$1`, "has a timestamp"},
	{"unknown fields of a payload are ignored", up, `"of-the-future":\[1\]`, `"history":"x"`, "not with subscribed"},
	{"an unknown type is an error", up, `of-the-future`, `ping`, "UNKNOWN_TYPE"},
	{"a frame that is not JSON is an error", up, `"ping"$`, `"ping"}`, "instead of error"},
	{"two values in one frame are an error", up, `} {"type":"ping"}`, `}`, "instead of error"},
	{"a field of the wrong type is an error", up, `"channel":7`, `"channel":"plain:7"`, "INVALID_MESSAGE"},
	{"a repeated field is an error", up, `"type":"ping","type"`, `"type"`, "instead of error"},
	{"nesting deeper than 64 levels is an error", up, `\[+\]+`, `1`, silence},
	{"text that is not UTF-8 closes with 1007", up, `\x{fffd}`, `?`, silence},
	{"a binary frame closes with 1003", up, `opcode 82`, `opcode 81`, silence},
	{"a message may come in fragments", up, `opcode 1:`, `opcode 81:`, "waited for a frame"},
	{"a ping of WebSocket is answered with its payload", down, `opcode 8a:.*`, ``, "the pongs are"},
	{"ping is answered with pong", down, `"pong"`, `"pang"`, "not with pong"},
	{"a close of the client is answered with its code", down, `(opcode 88:).*`, "${1}\x03\xe9", "waited for a close with 1000"},
	{"compression: each message is compressed alone", answer, `; client_no_context_takeover`, ``, "without client_no"},
	{"compression: a smaller window is declined", answer, `Extensions: `, `${0}permessage-deflate`, "server_max_window_bits"},

	{"a second subscribe is an error and changes nothing", down, `ALREADY_SUBSCRIBED`, `CONFLICT`, "ALREADY_SUBSCRIBED"},
	{"after unsubscribed nothing of the channel arrives", down, `^(.*)"unsubscribed"(.*)$`, "$1\"unsubscribed\"$2\n{\"type\":\"message\"}", "has unsubscribed"},
	{"unsubscribe without a subscription is an error", down, `NOT_SUBSCRIBED`, `CONFLICT`, "NOT_SUBSCRIBED"},
	{"bad names of channels are errors", up, `"a\*"`, `"plain:a"`, "INVALID_CHANNEL"},
	{"a channel that no room opens is forbidden", up, `closed:`, `plain:`, "in a closed channel"},

	{"a message reaches every subscriber, its sender too", down, `"tags":{[^}]*}`, `"tags":{}`, "tags"},
	{"messages of one connection arrive in order and once", down, `^(.*"content":7.*)$`, "$1\n$1", "content: 8"},
	{"a message without an id gets no ack", up, `"type":"message"`, `$0,"id":99`, "had no id"},
	{"a room without history has no positions", down, `("type":"subscribed".*"payload":{)`, `$1"offset":0,`, "has the field"},
	{"a message needs its content", up, `{"channel":`, `{"content":1,"channel":`, "INVALID_MESSAGE"},
	{"tags are bounded: 16, and no lists", up, `"tags":{[^}]*}`, `"tags":{}`, "INVALID_MESSAGE"},
	{"a repeat with the same key is published once", up, `,"key":"[^"]*"`, ``, "duplicate"},
	{"a repeat after a reconnect is published once", up, `,"key":"[^"]*"`, ``, "duplicate"},
	{"another message with the same key is rejected", up, `,"key":"[^"]*"`, ``, "CONFLICT"},
	{"a key is 1 to 64 bytes of printable ASCII", up, `,"key":"[^"]*"`, ``, "INVALID_MESSAGE"},
	{"a message after a rejected one is rejected, too", up, `"after":true,`, ``, "with after was accepted"},
	{"a call is answered by the app", down, `"result":`, `"answer":`, "no result"},

	{"a volatile message has no ack and no position", up, `,"volatile":true`, ``, "has the field"},
	{"a volatile message is not in the history", up, `,"volatile":true`, ``, "has the volatile message"},
	{"a volatile message has no key", up, `,"volatile":true`, ``, "INVALID_MESSAGE"},

	{"offsets go up by one, and the ack has them", down, `("type":"message".*"offset":)`, `${1}9`, "offset"},
	{"history has the newest messages, oldest first", up, `"limit":3`, `"limit":2`, "has 2 messages"},
	{"history since a position has what comes after it", up, `,"since":{[^}]*}`, ``, "has 5 messages"},
	{"history since another epoch says that messages are lost", down, `"lost":true`, `"lost":false`, "lost"},
	{"subscribe with history brings the newest messages", up, `"history":2`, `"history":1`, "has 1 messages"},
	{"recover brings all missed messages, and then the live ones", up, `"recover":`, `"recovery":`, "recovered"},
	{"recover with nothing missed has no messages", up, `"recover":`, `"recovery":`, "recovered"},
	{"recover in another epoch is not recovered", down, `"recovered":false`, `"recovered":true`, "recovered"},
	{"recover with another message's anchor is not recovered", up, `"anchor":"[^"]*",`, ``, "recovered"},
	{"a bad position is an error", up, `,"recover":{[^}]*}`, ``, "INVALID_MESSAGE"},

	{"a filter chooses among the messages", up, `,"filter":"(\\"|[^"])*"`, ``, "content: 3"},
	{"a filter that is not valid is an error", up, `,"filter":"(\\"|[^"])*"`, ``, "INVALID_MESSAGE"},
	{"another subscribe replaces the filter", up, `,"filter":"(\\"|[^"])*"`, ``, "ALREADY_SUBSCRIBED"},
	{"the command history has what the filter holds back", down, `("type":"history".*"content":)1`, `${1}7`, "does not have"},
	{"recover passes the filter", up, `,"filter":"(\\"|[^"])*"`, ``, "has 3 messages"},

	{"position is where recovery begins when messages did not pass", down, `("type":"position".*"offset":)`, `${1}9`, "does not have offset"},
	{"position is where recovery begins when messages did not pass", up, `"recover":`, `"recovery":`, "does not have recovered"},
	{"a volatile message does not take the place of position", down, `("type":"position".*"offset":)`, `${1}9`, "does not have offset"},
	{"position comes once a second at most, and with a heartbeat", down, `^.*"type":"position".*$`, strings.Repeat("$0\n", 100), "frames position came within"},
	{"position comes once a second at most, and with a heartbeat", up, `,"filter":"(\\"|[^"])*"`, ``, "no message passes"},
	{"on a stream a bare id takes the place of position", query, `&?filter=[^&]*`, ``, "waited for an id"},
	{"the server sends heartbeats as comments on an event stream", down, `^:.*$`, ``, "waited for a comment"},

	{"a pattern brings the messages of its channels, with their names", down, `("type":"message".*)"channel":"pattern:[^"]*"`, `$1"channel":"pattern:*"`, silence},
	{"a pattern has no history and no recovery", up, `"history":5,`, ``, "INVALID_MESSAGE"},
	{"a pattern without a * is an error", up, `pattern:\w+`, `pattern:*`, "INVALID_CHANNEL"},
	{"who is subscribed to a channel and to a pattern gets each message twice", up, `"channel":"pattern:[^"]*"}`, `"channel":"plain:x"}`, "does not have channel"},
	{"a slow reader of a pattern gets a gap, and is not closed", down, `("type":"gap".*)"pattern":`, `$1"channel":`, "does not have pattern"},
	{"a pattern that is not allowed is forbidden", up, `plain:\*`, `pattern:*`, "is answered with"},

	{"a message to one member reaches that member alone", up, `,"to":{[^}]*}`, ``, "does not have to"},
	{"from is where an answer goes", down, `"from":{[^}]*}`, `"from":{}`, "not with ack"},
	{"a member that is not there is an error", up, `,"to":{[^}]*}`, ``, "NOT_PRESENT"},
	{"unknown fields of to are an error", up, `,"x":1`, ``, "INVALID_MESSAGE"},

	{"a snapshot follows subscribed, with the client itself", down, `"count":1`, `"count":2`, "count: 1"},
	{"who enters and leaves is announced", down, `"seq":\d+`, `"seq":1`, "seq does not go up"},
	{"who closes with 1000 leaves at once", down, `"left":`, `"gone":`, silence},
	{"status and info are set with subscribe, and updated later", up, `"status":"away"`, `"status":"busy"`, "away"},
	{"presence without a status returns the snapshot", down, `"count":1`, `"count":2`, "count: 1"},
	{"a page of the members repeats its after", down, `"after":"[^"]*"`, `"after":""`, "after"},
	{"status and info are bounded", up, `x{33}`, `x`, "INVALID_MESSAGE"},

	{"a user whose connection broke stays for the grace", down, `^(.*"type":"presence","id".*"users":)\[[^\]]*\]`, `$1[]`, "as soon as its connection broke"},
	{"a user whose connection broke stays for the grace", down, `^(.*"type":"presence","id".*"users":(\[[^\]]*\]).*)$`,
		"$1\n" + `{"type":"presence","payload":{"left":$2}}`, "and the grace is 2s"},
	{"a user who is back within the grace was never away", down, `"left":\[[^\]]*\]`, `"users":[]`, "see the user leave"},
	{"an anonymous member whose connection broke leaves", down, `"left":`, `"gone":`, silence},
	{"a user who leaves the page with 1001 stays for the grace as well", down, `"entered":(\["[^\]]*\]).*`,
		"$0\n" + `{"type":"presence","payload":{"left":$1}}`, "and the grace is 2s"},

	{"a change is accepted, and others get it", down, `("type":"remote-change".*"serverVersion":)`, `${1}9`, "serverVersion"},
	{"subscribed has the state", up, `"b":null`, `"b":0`, "state"},
	{"changes to different paths are merged", up, `"epoch":"[^"]*"(.*"patch":{"b":2})`, `"epoch":"x"$1`, "not with change-accepted"},
	{"changes to the same path collide", up, `"baseVersion":0(.*"patch":{"a":2})`, `"baseVersion":1$1`, "not with change-rejected"},
	{"increments of one number do not collide", up, `"op":"increment"`, `"op":"add"`, "not with change-accepted"},
	{"appending to a list does not collide, inserting does", up, `/list/-`, `/list/0`, "not with change-accepted"},
	{"a patch that replaces the whole document is rejected", up, `"path":""`, `"path":"/a"`, "not with change-rejected"},
	{"a patch is made as a whole or not at all", up, `"op":"test"`, `"op":"add"`, "not with change-rejected"},
	{"names that are dangerous in JavaScript are rejected", up, `__proto__`, `proto`, "not with change-rejected"},
	{"an epoch that is over is a conflict", up, `"epoch":"another",`, ``, "not with change-rejected"},
	{"a change that is sent again is made once", up, `,"client":"[^"]*"`, ``, "duplicate"},
	{"a change without a subscription is an error", down, `NOT_SUBSCRIBED`, `CONFLICT`, "NOT_SUBSCRIBED"},
	{"every 32nd version has the hash of the state", down, `"hash":"\w+"`, `"hash":"00000000"`, "has the hash"},

	{"with conflict strict a change of an older version is rejected, whatever it touches", up, `"baseVersion":0(.*"patch":{"b":2})`, `"baseVersion":1$1`, "not with change-rejected"},
	{"with conflict strict a change of an older version is rejected, whatever it touches", up, `"baseVersion":0(.*"increment")`, `"baseVersion":1$1`, "not with change-rejected"},
	{"with conflict strict a change that is sent again is made once", up, `,"client":"[^"]*"`, ``, "not with change-accepted"},

	{"a token that is not valid is an error, and the connection stays", down, `UNAUTHORIZED`, `FORBIDDEN`, "UNAUTHORIZED"},
	{"authenticate returns the user", down, `"user":`, `"name":`, "has no user"},
	{"the sender of a user's message is the user", down, `"sender":"[^"]*"`, `"sender":"bob"`, "sender"},
	{"a user with two connections is one member", down, `("type":"presence".*"count":)2`, `${1}3`, "count: 2"},
	{"a message of the app has no sender", down, `("type":"message".*"payload":{)`, `$1"sender":"app",`, "sender"},

	{"a stream begins with connected and subscribed", down, `"version":1`, `"version":2`, "version: 1"},
	{"a message without a name has no event line, one with a name has it", down, `^event: said$`, `event: other`, "waited for an event"},
	{"a stream resumes after its last id", query, `&?lastEventID=[^&]*|Last-Event-ID`, ``, "waited for an event"},
	{"a stream with an id that the server does not know gets a gap", query, `Last-Event-ID`, ``, "waited for an event"},
	{"a stream may begin with history", query, `history=2`, `history=1`, "content: 1"},
	{"format=content has the content alone", query, `&?format=content`, ``, "the data is"},
	{"names of other parts of the protocol are rejected", query, `&?limit=1`, ``, "is answered with 200"},
	{"a stream without a permitted channel is rejected with 403", query, `closed`, `plain`, "is answered with 200"},

	{"the path /sse is a stream without the header Accept", down, `^event: connected$`, `event: hello`, "the first event is"},
	{"a parameter of a stream with a wrong value is rejected", query, `history=1001`, `history=1000`, "is answered with 200"},
	{"a parameter of a stream with a wrong value is rejected", query, `format=xml`, `format=content`, "is answered with 200"},
	{"parameters of the site are left alone", query, `histroy`, `limit`, "is answered with 400"},
	{"the id of a stream has the position of each of its channels", query, `Last-Event-ID`, ``, "waited for an event"},
	{"the id of a stream has the position of each of its channels", down, `^(id: [^~]*~[^~]*~[^~]*~[0-9a-f]*).*`, `$1`, "waited for an event"},
	{"a resumed stream brings what was missed in place of the history", query, `Last-Event-ID`, ``, "does not have content"},
	{"a stream without any history has the id ~", down, `^id: ~`, `id: x`, "the id is"},
	{"a new stream with a channel that is not permitted is rejected", query, `&channel=closed[^&]*`, ``, "is answered with 200"},
	{"a stream that comes back gets the channels that it may have, and unsubscribed for the others", query, `Last-Event-ID`, ``, "is answered with 403"},
	{"a stream that comes back gets the channels that it may have, and unsubscribed for the others", down, `("type":"unsubscribed".*)"code":`, `$1"cause":`, "does not say why"},
	{"a stream that comes back and may have no channel is told to come again after half a minute", down, `^retry: .*`, `retry: 3000`, "not with a retry line"},

	{"the filter of a stream holds for each of its channels", query, `&?filter=[^&]*`, ``, "does not have content"},
	{"the filter of a stream holds for the history and for what was missed", query, `&?filter=[^&]*`, ``, "does not have content"},
	{"a stream with a filter that is not valid is rejected", query, `&?filter=[^&]*`, ``, "is answered with 200"},
	{"a pattern of a stream brings the messages of its channels, with their names", query, `&?filter=[^&]*`, ``, "does not have content"},
	{"a pattern of a stream brings the messages of its channels, with their names", down, `^(data: .*"type":"message".*)"channel":"[^"]*"`, `$1"channel":"pattern:*"`, "does not have channel"},
	{"a stream may have channels beside a pattern", query, `&?pattern=[^&]*`, ``, "waited for an event"},
	{"a resumed stream gets a gap for its pattern", query, `Last-Event-ID`, ``, "waited for an event"},
	{"a pattern of a stream that is not one is rejected", query, `pattern=pattern`, `channel=pattern`, "is answered with 200"},
	{"a pattern of a stream that is not one is rejected", query, `channel=pattern`, `pattern=pattern`, "is answered with 200"},

	{"compression: short messages come plain, and compressed ones can be inflated alone", down, `opcode c1:`, `opcode 81:`, "is not one envelope"},
	{"compression: the server inflates what the client sends", up, `opcode c1:.*`, `opcode 81:{"type":"ping"}`, silence},
	{"compression: a message that inflates to too much closes with 1009", down, closing, normal, "a close with 1009"},
	{"compression: a message that cannot be inflated closes with 1007", down, closing, normal, "a close with 1007"},
	{"compression: RSV1 on a later frame of a message closes with 1002", down, closing, normal, "a close with 1002"},

	{"a client that reads too slowly knows what it missed", down, `^.*"type":"message".*"offset":3[,}].*$`, ``, "a hole without a gap"},
	{"a client that reads too slowly knows what it missed", down, closing, normal, "otherwise than with 4500"},
	{"a slow reader misses volatile messages, without a gap and without a close", up, `,"volatile":true`, ``, "waited for a frame"},
	{"volatile messages of one client stay in order", down, `"content":7`, `"content":3`, "came after"},
	{"a volatile message needs the permission to publish", up, `closed:`, `plain:`, "in a closed channel"},
	{"the schema holds for every kind of message", up, `"content":1(.*"volatile":true)`, `"content":{}$1`, "SCHEMA_VIOLATION"},

	{"a token in the handshake makes a connection that of its user", down, `"user":`, `"name":`, "does not have user"},
	{"a handshake with a token that does not count is rejected with 401", status, `401`, `403`, "not rejected with 401"},
	{"an expired token is an error, and the connection stays", down, `TOKEN_EXPIRED`, `UNAUTHORIZED`, "TOKEN_EXPIRED"},
	{"a token is renewed on the open connection", down, `"expires":\d+`, `"expires":1`, "does not move expires"},
	{"a stream has the user of its token", down, `"user":`, `"name":`, "user"},
	{"a stream with an expired token is rejected with 401", status, `401`, `403`, "is answered with"},
	{"when their token expires, a connection and a stream end with 4503", down, closing, normal, "a close with 4503"},
	{"when their token expires, a connection and a stream end with 4503", down, `"code":4503`, `"code":1000`, "code: 4503"},
	{"a key belongs to the user who sends it", down, `("type":"ack".*"payload":{)`, `$1"duplicate":true,`, "has the field"},
	{"a message to a user reaches all connections of the user, or the one that is named", up, `"connection":"[^"]*",`, ``, "content"},
	{"a user and a connection are never mixed up", up, `"to":{"user"`, `"to":{"connection"`, "content"},
	{"a user who leaves the page with 1001 and is back at once has not left", down, `^.*"content":"back".*$`, `{"type":"presence","payload":{"users":[]}}`, "see the user leave"},
	{"a stream's member is changed by its own user alone", status, `403`, `200`, "is answered with"},

	{"the client of a stream updates its member with the secret of the stream", up, `"secret":"`, `"secret":"x`, "is answered with 409"},
	{"a secret that no stream has is an error", status, `409`, `200`, "is answered with"},
	{"each stream has a secret of its own, and it is over with the stream", down, `"secret":"[^"]*"`, `"secret":"same"`, "two streams"},
	{"each stream has a secret of its own, and it is over with the stream", down, `"reconnect":false`, `"reconnect":true`, "reconnect: false"},
	{"a channel that the stream does not have is an error", status, `409`, `403`, "is answered with"},
	{"a channel without presence has no members to update", status, `403`, `409`, "is answered with"},
	{"the API key does not update a member", status, `403`, `200`, "is answered with"},
	{"an update is bounded, and not empty", up, `x{33}`, `x`, "is answered with 200"},

	{"a message with the secret of a stream has the stream's connection as its sender", down, `"sender":"[^"]*"`, `"sender":"x"`, "sender"},
	{"a message with a wrong secret is an error", up, `"secret":"[^"]*"`, `"event":"x"`, "is answered with 20"},
	{"a message of the app has no secret", status, `403`, `200`, "is answered with"},
	{"the sender of two requests without a secret is not the same", down, `"sender":"[^"]*"`, `"sender":"x"`, "the same sender"},

	{"too many subscriptions of one connection are an error", down, `LIMIT_EXCEEDED`, `RATE_LIMITED`, "a channel too many"},
	{"over HTTP an error has the status of the table", status, `413`, `400`, "is answered with"},
	{"a key of another message has the status 422 over HTTP", status, `422`, `409`, "is answered with"},

	{"broken framing closes with 1002", down, closing, normal, "a close with 1002"},
	{"a client that keeps sending what is rejected is closed with 1008", down, closing, normal, "a close with 1008"},
	{"a frame that is too large closes with 1009", down, closing, normal, "a close with 1009"},
	{"another version of the protocol closes with 4400", down, closing, normal, "a close with 4400"},
	{"a connection that the app disconnects is closed with 4403", down, closing, normal, "a close with 4403"},
	{"a user whose tokens are revoked is closed with 4401", down, closing, normal, "a close with 4401"},
	{"a connection too many is rejected, and a stream is told to come again", status, `429`, `418`, "a connection too many"},
	{"a connection too many is rejected, and a stream is told to come again", status, `429`, `1000`, "a close with 1013"},
	{"a connection too many is rejected, and a stream is told to come again", down, `^retry:`, `again:`, "a stream too many"},
	{"the server sends heartbeats over WebSocket", down, `^opcode 89:.*$`, ``, "waited for a ping"},
	{"a client that answers no pings is closed with 4501", down, closing, normal, "a close with 4501"},

	{"a configuration that is gone closes with 4502", down, closing, normal, "a close with 4502"},
	{"a server that goes away says reconnect, and closes with 1012", down, `"type":"reconnect"`, `"type":"pong"`, "instead of reconnect"},
	{"a server that goes away says reconnect, and closes with 1012", down, closing, normal, "a close with 1012"},
	{"a server that goes away says reconnect, and closes with 1012", down, `"code":1012`, `"code":1000`, "code: 1012"},

	{"a server that stops sends its clients away with 1012 or 1001", down, closing, normal, "a close with 1012 or 1001"},
	{"a server that stops sends its clients away with 1012 or 1001", down, `"type":"reconnect"`, `"type":"pong"`, "without a frame reconnect"},
	{"a server that stops sends its clients away with 1012 or 1001", down, `^event: close$`, ``, "waited for an event"},
}

// closing matches a close frame, and normal puts the code 1000 into it.
const (
	closing = `^(opcode 88:).*$`
	normal  = "${1}\x03\xe8"
)

// TestBroken checks that each check fails for a server that breaks its promise, and that it
// says why.
func TestBroken(t *testing.T) {
	servers := start(t)
	var short sync.WaitGroup
	checks := make(map[string]Check)
	for _, c := range Checks() {
		if _, twice := checks[c.Name]; twice {
			t.Errorf("two checks are called %q", c.Name)
		}
		checks[c.Name] = c
	}
	unbroken := make(map[string]bool)
	for name := range checks {
		unbroken[name] = true
	}
	for _, f := range faults {
		delete(unbroken, f.check)
		c, ok := checks[f.check]
		if !ok {
			t.Errorf("there is no check %q", f.check)
			continue
		}
		if slices.Contains(needsShort, f.check) { // it takes seconds, and does little
			short.Go(func() { holds(t, servers.short, c, f) })
			continue
		}
		if slices.ContainsFunc(slices.Concat(goneChecks, stopChecks), func(gone Check) bool { return gone.Name == f.check }) {
			short.Wait()
			if err := servers.open(); err != nil {
				t.Fatal(err)
			}
		}
		holds(t, servers.of(c), c, f)
	}
	short.Wait()
	for name := range unbroken {
		t.Errorf("no fault breaks the promise of the check %q", name)
	}
}

// holds checks that a check fails for a server with a fault.
func holds(t *testing.T, target Target, c Check, f fault) {
	server, err := url.Parse(target.URL)
	if err != nil {
		t.Error(err)
		return
	}
	b := &broken{t: t, server: server, fault: f}
	s := b.start()
	defer s.Close()
	target.URL, target.Timeout = s.URL+server.Path, 5*time.Second
	if strings.HasPrefix(f.says, "waited for an event") || f.says == silence {
		target.Timeout = 300 * time.Millisecond
	}
	_, err = Run(target, []Check{c}, func(r Result) {
		said := r.Failed
		if said == "" && r.Skipped == "" {
			said = passes
		}
		if !strings.Contains(said, f.says) {
			t.Errorf("%s: says %q%s, not %q", f.check, r.Failed, r.Skipped, f.says)
		}
	})
	if err != nil {
		t.Error(err)
	}
}
