package integration

import (
	"bufio"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/internal/faultproxy"
	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

const costSite = `
http://{{site}} {
	realtime /rt {
		user {header.X-User}
		redis {env.REALTIME_TEST_REDIS}
		room plain:* {
			subscribe anyone
			publish anyone
		}
		room kept:* {
			subscribe anyone
			publish anyone
			history 100 1h
		}
		room fed:* {
			subscribe anyone
			subscribe_pattern anyone
			publish anyone
		}
		room fedkept:* {
			subscribe anyone
			subscribe_pattern anyone
			publish anyone
			history 100 1h
		}
		room chat:* {
			subscribe anyone
			presence {
				grace off
			}
		}
	}
}
`

// commands watches what a Redis is asked.
type commands struct {
	t      *testing.T
	redis  *redistest.Server
	lines  chan string
	fences int
}

// A line of MONITOR: who asked (lua: a script), the command, its arguments.
var monitored = regexp.MustCompile(`^\+[0-9.]+ \[\d+ (\S+)\] "([^"]*)"(.*)`)

func watchCommands(t *testing.T, redis *redistest.Server) *commands {
	t.Helper()
	c := &commands{t: t, redis: redis, lines: make(chan string, 1<<16)}
	conn, err := net.Dial("tcp", redis.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := conn.Write([]byte("MONITOR\r\n")); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.lines)
		in := bufio.NewScanner(conn)
		in.Buffer(nil, 1<<20)
		for in.Scan() {
			c.lines <- in.Text()
		}
	}()
	c.take("")
	return c
}

// take gives what was asked since the last time that has to do with a channel, or
// with anything if that is empty: each command with what the script that it is has
// called. Comparisons of a channel are left out.
func (c *commands) take(channel string) (asked []string) {
	c.t.Helper()
	c.fences++
	fence := fmt.Sprintf("fence-%d", c.fences)
	conn, err := net.Dial("tcp", c.redis.Addr)
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "ECHO %s\r\n", fence); err != nil {
		c.t.Fatal(err)
	}
	var all []*asking
	for line := range c.lines {
		m := monitored.FindStringSubmatch(line)
		switch {
		case m == nil:
		case strings.Contains(line, fence):
			for _, a := range all {
				if strings.Contains(a.line, channel) && (channel == "" || !a.comparison()) {
					asked = append(asked, a.String())
				}
			}
			return asked
		case m[1] == "lua":
			last := all[len(all)-1]
			last.inside = append(last.inside, strings.ToLower(m[2]))
		default:
			all = append(all, &asking{line, strings.ToLower(m[2]), nil})
		}
	}
	c.t.Fatal("Redis shows nothing any more")
	return nil
}

// asking is a command, and those that it has called if it is a script.
type asking struct {
	line, command string
	inside        []string
}

// comparison reports that a node compares the position of a room, which comes every 10 s
// or so and is no part of what clients do: in a room without messages it names the epoch
// that the node knows. A subscriber's first reading knows none.
func (a *asking) comparison() bool {
	return strings.HasSuffix(a.String(), "(hmget pexpire)") ||
		strings.HasSuffix(a.String(), "(time hmget get)") && compared.MatchString(a.line)
}

// compared are two keys, three arguments, of which the last is an epoch.
var compared = regexp.MustCompile(`"evalsha" "[0-9a-f]+" "2"( "[^"]*"){4} "[^"]+"$`)

func (a *asking) String() string {
	if len(a.inside) == 0 {
		return a.command
	}
	return a.command + "(" + strings.Join(a.inside, " ") + ")"
}

// expect compares what was asked about a channel.
func (c *commands) expect(what, channel string, want ...string) {
	c.t.Helper()
	if got := c.take(channel); !slices.Equal(got, want) {
		c.t.Errorf("%s takes\n\t%q, want\n\t%q", what, got, want)
	}
}

// What each thing that clients do costs in Redis, exactly: docs/clustering.md and
// bench/README.md say so.
func TestRedisCost(t *testing.T) {
	redis := redistest.Start(t)
	t.Setenv("REALTIME_TEST_REDIS", redis.Addr)
	c := Start(t, costSite)
	base := "http://" + c.Addr("site") + "/rt"
	publish := func(channel, key string) {
		t.Helper()
		headers := []string{"Content-Type", "application/json", "X-User", "ann"}
		if key != "" {
			headers = append(headers, "Idempotency-Key", key)
		}
		if res, body := request(t, "POST", base+"/channels/"+channel+"/messages", `{"content": "hello"}`, headers...); res.StatusCode != 200 {
			t.Fatalf("publishing is answered with %s: %s", res.Status, body)
		}
	}
	enter := func(channel, event string) *websocket.Conn {
		t.Helper()
		ws := dial(t, "ws"+strings.TrimPrefix(base, "http"))
		_ = ws.SetReadDeadline(time.Now().Add(startLimit))
		send(t, ws, `{"type":"subscribe","payload":{"channel":"`+channel+`"}}`)
		expect(t, ws, `"type":"`+event+`"`)
		return ws
	}
	// The first use of a script sends its text, which is not counted.
	for _, channel := range []string{"plain:0", "kept:0", "fed:0", "fedkept:0"} {
		enter(channel, "subscribed")
		publish(channel, "")
		publish(channel, "first")
	}
	watcher := enter("chat:0", "presence")
	first := enter("chat:0", "presence")
	expect(t, watcher, `"entered"`)
	_ = first.Close()
	expect(t, watcher, `"left"`)
	cmds := watchCommands(t, redis)

	publish("plain:0", "")
	cmds.expect("publishing", "plain:0", "publish")
	publish("plain:0", "one")
	cmds.expect("publishing with a key", "plain:0", "evalsha(time hget hget hget hset pexpire hincrby hincrby pexpire srandmember publish)")
	publish("kept:0", "")
	cmds.expect("publishing where there is history", "kept:0", "evalsha(time hmget hset xadd publish)")
	publish("kept:0", "one")
	cmds.expect("the same with a key", "kept:0", "evalsha(time hget hget hget hmget hset xadd publish hset pexpire hincrby hincrby pexpire srandmember)")
	publish("kept:0", "one")
	cmds.expect("repeating it", "kept:0", "evalsha(time hget hget hget xrange)") // what was published, to compare
	publish("kept:new", "")
	cmds.expect("publishing where nobody is", "kept:new", "evalsha(time hmget get del hset hset pexpire xadd pexpire publish)")

	enter("plain:1", "subscribed")
	cmds.expect("the first subscriber on a node", "plain:1", "subscribe")
	enter("plain:1", "subscribed")
	cmds.expect("the next one", "plain:1")
	const empty = "evalsha(time hmget get)"
	enter("kept:1", "subscribed")
	cmds.expect("the first one where there is history", "kept:1", "subscribe", empty, empty)
	enter("kept:1", "subscribed")
	cmds.expect("the next one", "kept:1", empty)

	// The block of a pattern has a feed, which gets each message as well.
	publish("fed:0", "")
	cmds.expect("publishing where a pattern may be subscribed to", "fed:0", "evalsha(publish publish)")
	publish("fed:0", "one")
	cmds.expect("the same with a key", "fed:0", "evalsha(time hget hget hget hset pexpire hincrby hincrby pexpire srandmember publish publish)")
	publish("fedkept:0", "")
	cmds.expect("the same with history", "fedkept:0", "evalsha(time hmget hset xadd publish publish)")
	followPattern(t, base, "fed:*")
	cmds.expect("the first subscription to a pattern on a node", "fed:*", "subscribe")
	followPattern(t, base, "fed:*")
	cmds.expect("the next one", "fed:*")

	const beginning = "evalsha(time zscore hget get set hincrby hget sadd hset hset zadd hget scard sadd hincrby hset publish zcard persist zscore hincrby)"
	const entering = "evalsha(time zscore hget get set hincrby hget sadd hset hset zadd hget scard sadd hincrby publish zcard persist zscore hincrby)"
	const leaving = "evalsha(time hget get set hget srem hget hdel hdel zrem scard sadd hincrby publish zcard persist zscore hincrby)"
	watcher = enter("chat:1", "presence")
	cmds.expect("the first member", "chat:1", "subscribe", "subscribe", beginning, "evalsha(zcard zrangebylex hmget)")
	next := enter("chat:1", "presence")
	expect(t, watcher, `"entered"`)
	cmds.expect("the next one", "chat:1", entering)
	_ = next.Close()
	expect(t, watcher, `"left"`)
	cmds.expect("a member that leaves", "chat:1", leaving)

	// Nothing happens: the lease every 1.5 s, and a probe after 2 s of silence.
	const idle = 5 * time.Second
	cmds.take("")
	time.Sleep(idle)
	asked := cmds.take("")
	t.Logf("in %v nothing happens: %q", idle, asked)
	if len(asked) > 12 {
		t.Errorf("%d commands in %v in which nothing happens: %q", len(asked), idle, asked)
	}
}

// followPattern subscribes a client to a pattern.
func followPattern(t *testing.T, base, pattern string) {
	t.Helper()
	ws := dial(t, "ws"+strings.TrimPrefix(base, "http"))
	_ = ws.SetReadDeadline(time.Now().Add(startLimit))
	send(t, ws, `{"type":"subscribe","payload":{"pattern":"`+pattern+`"}}`)
	expect(t, ws, `"subscribed"`)
}

// A node gets nothing of a room in which it has no subscribers, however much is
// published there.
func TestNothingForNobody(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	link := faultproxy.Start(t, redis.Addr)
	a := StartProcess(t, costSite, "REALTIME_TEST_REDIS="+redis.Addr)
	b := StartProcess(t, costSite, "REALTIME_TEST_REDIS="+link.Addr())
	baseA, baseB := "http://"+a.Addr("site")+"/rt", "http://"+b.Addr("site")+"/rt"
	const many, size = 200, 1000
	flood := func(ws *websocket.Conn) int64 {
		t.Helper()
		before := link.Received()
		for i := range many {
			text := fmt.Sprint(i, " ", strings.Repeat("x", size))
			request(t, "POST", baseA+"/channels/kept:1/messages", `"`+text+`"`)
		}
		expect(t, ws, fmt.Sprint(many-1, " xxx"))
		return link.Received() - before
	}
	follow := func(base string) *websocket.Conn {
		t.Helper()
		ws := dial(t, "ws"+strings.TrimPrefix(base, "http"))
		_ = ws.SetReadDeadline(time.Now().Add(startLimit))
		send(t, ws, `{"type":"subscribe","payload":{"channel":"kept:1"}}`)
		expect(t, ws, `"type":"subscribed"`)
		return ws
	}
	here := follow(baseA)
	got := flood(here)
	t.Logf("%d bytes came to the node without subscribers, of %d that were published", got, many*size)
	if got > many*size/20 {
		t.Errorf("the node without subscribers got %d bytes, and %d were published", got, many*size)
	}
	there := follow(baseB)
	if got := flood(there); got < many*size {
		t.Errorf("the node with a subscriber got %d bytes, and %d were published", got, many*size)
	}
}
