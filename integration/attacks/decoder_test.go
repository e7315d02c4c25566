package attacks

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// How many inputs a decoder gets of each kind. Its fuzz tests look for more, see `make fuzz`.
var (
	randomInputs  = sized(20_000, 100_000)
	mutatedInputs = 10_000
)

const (
	// maxGrowth is how much more memory may be in use after an attack: what pools
	// and the runtime keep.
	maxGrowth = 8 << 20
	// maxDecoding is how much of the processors all inputs of one decoder may take, with
	// the race detector.
	maxDecoding = time.Minute
)

// decoder reads what strangers send. Read reports whether the input was accepted,
// and panics when what it made of it breaks a promise.
type decoder struct {
	name  string
	seeds []string
	read  func(input []byte) bool
}

// attackDecoders feed them in this process, because a server would answer the
// first of such inputs and hang up at the twentieth.
func attackDecoders(w *world) (rows []attack) {
	add := func(name string, try func(*testing.T) string) {
		rows = append(rows, attack{name, "no panic, memory flat", func(t *testing.T) string {
			w.gauge.unwatch()
			return try(t)
		}})
	}
	for _, d := range decoders() {
		add(d.name, d.attack)
	}
	for _, d := range requestDecoders {
		add(d(nil).name, func(t *testing.T) string { return d(newRegistry(t)).attack(t) })
	}
	add("WebSocket framing", attackFraming)
	return rows
}

func (d decoder) attack(t *testing.T) string {
	before, begin := inUse(), processorTime()
	for _, seed := range d.seeds {
		if !d.read([]byte(seed)) {
			t.Errorf("the seed %q is not accepted", seed)
		}
	}
	var accepted atomic.Int64
	var failed atomic.Value
	var all sync.WaitGroup
	for half := range uint64(2) {
		all.Go(func() {
			n := newNoise(half)
			for range randomInputs / 2 {
				d.feed(n.bytes(64), &accepted, &failed)
			}
			for range mutatedInputs / 2 {
				d.feed(n.mutate(d.seeds), &accepted, &failed)
			}
		})
	}
	all.Wait()
	if text := failed.Load(); text != nil {
		return text.(string)
	}
	return flat(before, begin, fmt.Sprintf("%d inputs, %d accepted", randomInputs+mutatedInputs, accepted.Load()))
}

// feed has one input decoded.
func (d decoder) feed(input []byte, accepted *atomic.Int64, failed *atomic.Value) {
	defer func() {
		if v := recover(); v != nil {
			failed.Store(fmt.Sprintf("%v for %q", v, input))
		}
	}()
	if d.read(input) {
		accepted.Add(1)
	}
}

// processorTime is how much of the processors this process has taken.
func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // fails for bad arguments alone
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// flat gives the outcome of an attack on memory and processors, of which so much was
// taken before. While it ran this process did next to nothing else.
func flat(before uint64, begin time.Duration, what string) string {
	took, growth := processorTime()-begin, int64(inUse())-int64(before)
	switch {
	case growth > maxGrowth:
		return fmt.Sprintf("%d KiB more in use", growth>>10)
	case took > maxDecoding:
		return fmt.Sprintf("it took %v of the processors", took)
	}
	return fmt.Sprintf("no panic, memory flat (%s, %v, %+d KiB)", what, took.Round(10*time.Millisecond), growth>>10)
}

// decode makes a decoder of a payload of the protocol.
func decode[T any](name string, read func(json.RawMessage) (T, *protocol.Error), check func(T), seeds ...string) decoder {
	return decoder{name, seeds, func(input []byte) bool {
		v, e := read(input)
		if e == nil && check != nil {
			check(v)
		}
		return e == nil
	}}
}

func promise(kept bool, what string) {
	if !kept {
		panic("accepted: " + what)
	}
}

func validChannel(name string) { promise(protocol.ValidChannel(name) == nil, "a bad channel") }

func decoders() []decoder {
	return []decoder{
		decode("Decode", func(frame json.RawMessage) (protocol.Command, *protocol.Error) { return protocol.Decode(frame) },
			func(c protocol.Command) {
				promise(c.Payload == nil || json.Valid(c.Payload), "a payload that is not JSON")
				promise(c.ID == nil || json.Valid(c.ID), "an id that is not JSON")
			},
			`{"type":"subscribe","id":"a","payload":{"channel":"chat:42"}}`, `{"id":7,"type":"ping"}`, `{ "type" : "x", "payload" : { "a" : [ 1.5e3, "\u00e9\n", null, {} ] } }`),
		decode("DecodeSubscribe", protocol.DecodeSubscribe, func(s protocol.Subscribe) { validChannel(s.Channel) },
			`{"channel":"chat:42","recover":{"epoch":"k3v9x2m7","offset":17,"anchor":"9c1f03aa"}}`, `{"channel":"c","history":5,"status":"away","info":{"a":1}}`),
		decode("DecodeUnsubscribe", protocol.DecodeUnsubscribe, func(u protocol.Unsubscribe) { validChannel(u.Channel) },
			`{"channel":"chat:42"}`),
		decode("DecodePublish", protocol.DecodePublish, func(p protocol.Publish) {
			validChannel(p.Channel)
			promise(json.Valid(p.Content), "a content that is not JSON")
			promise(protocol.ValidEvent(p.Event) == nil, "a bad event")
		}, `{"channel":"chat:42","content":{"text":"hi \ud83d\ude00"},"event":"typing","key":"k-1"}`),
		decode("DecodeHistory", protocol.DecodeHistory, func(h protocol.History) { validChannel(h.Channel) },
			`{"channel":"chat:42","since":{"epoch":"k3v9x2m7","offset":17},"limit":10}`),
		decode("DecodePing", protocol.DecodePing, nil, `{}`, `{"a":1}`),
		decode("DecodePresence", protocol.DecodePresence, func(p protocol.Presence) {
			validChannel(p.Channel)
			_ = p.Change().Check()
		}, `{"channel":"chat:42","status":"away","info":{"name":"Ann","status":"x"}}`, `{"channel":"chat:42","after":"bob"}`),
		changes(), addressed(),
		decode("DecodeAuthenticate", protocol.DecodeAuthenticate, nil, `{"token":"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.x"}`),
		decode("DecodeContent", func(text json.RawMessage) (json.RawMessage, *protocol.Error) { return protocol.DecodeContent(text) },
			func(c json.RawMessage) { promise(json.Valid(c), "a content that is not JSON") },
			`{"a":[1,2.5e-3,"\u2028",{"b":null}]}`, ` [ true , false ] `),
		cursors(), positions(), patterns(), grants(), contents(), tokens(), patches(),
	}
}

func cursors() decoder {
	return decoder{"ParseCursor", []string{"abcdef~k3v9x2m7~17~9c1f03aa.A-_xyz~e~0", "abcdef~k3v9x2m7~9007199254740991"}, func(input []byte) bool {
		c, e := protocol.ParseCursor(string(input))
		if e == nil {
			again, e := protocol.ParseCursor(string(protocol.AppendCursor(nil, &c)))
			promise(e == nil && again.Len() == c.Len(), "a cursor that does not survive being written")
		}
		return e == nil
	}}
}

func positions() decoder {
	return decoder{"ParsePosition", []string{"k3v9x2m7 12 9c1f03aa", "k3v9x2m7 9007199254740991 "}, func(input []byte) bool {
		epoch, rest, _ := strings.Cut(string(input), " ")
		offset, anchor, _ := strings.Cut(rest, " ")
		p, e := protocol.ParsePosition(epoch, offset, anchor)
		promise(e != nil || p.Epoch != "" && p.Offset < 1<<53, "a bad position")
		return e == nil
	}}
}

func patterns() decoder {
	return decoder{"policy patterns", []string{"chat:*", "inbox:{user}", "a:{claim.team}:*:b:*", "*"}, func(input []byte) bool {
		s := string(input)
		p, err := policy.Compile([]policy.Room{{Pattern: s, Subscribe: policy.Users}})
		if err == nil {
			for _, channel := range []string{"chat:1", "inbox:a%3Ab", "a:x:y:b:c:d", s} {
				room := p.Match(channel)
				promise(room.Allow(policy.Subscribe, &policy.Subject{}, channel) != nil, "an anonymous caller")
				promise(room.Allow(policy.Publish, &policy.Subject{User: s}, channel) != nil, "a publisher")
			}
		}
		return err == nil
	}}
}

func grants() decoder {
	return decoder{"grants of tokens", []string{"chat:*", "a:*:b"}, func(input []byte) bool {
		g, err := policy.CompileGrants([]policy.Grant{{Pattern: string(input), Allow: []string{"subscribe"}}})
		promise(!g.Cover(policy.Publish, "chat:1"), "an action that was not granted")
		_ = g.Cover(policy.Subscribe, string(input))
		return err == nil
	}}
}

// contents are messages in a room that sanitizes and has a schema.
func contents() decoder {
	schema, err := policy.CompileSchema([]byte(`{"type":["object","string"],"properties":{"a":{"type":"string","maxLength":20}}}`))
	if err != nil {
		panic(err)
	}
	p, err := policy.Compile([]policy.Room{{Pattern: "*", Schema: schema, Sanitize: policy.SanitizeText}})
	if err != nil {
		panic(err)
	}
	return decoder{"schema and sanitizing", []string{`{"a":"<b>x</b>"}`, `"<script>1</script>&lt;"`}, func(input []byte) bool {
		content, e := protocol.DecodeContent(input)
		if e != nil {
			return false
		}
		clean, e := p.Match("x").Check(content)
		promise(e != nil || json.Valid(clean), "a content that is not JSON")
		return e == nil
	}}
}

// tokens are decoded after their signature was checked, so that nothing but the
// seed may be accepted.
func tokens() decoder {
	verifier, err := auth.New(auth.Config{Keys: auth.Keys{Secrets: [][]byte{[]byte(secret)}}})
	if err != nil {
		panic(err)
	}
	own := signed(hs256, good(nil), secret)
	return decoder{"tokens", []string{own}, func(input []byte) bool {
		_, err := verifier.Verify(context.Background(), string(input))
		promise(err != nil || string(input) == own, "a token that nobody has signed")
		return err == nil
	}}
}
