package session

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// linesPerSecond and linesBurst bound the lines of one kind in the log. A line about each client
// of a flood would cost more than the client, and hide everything else.
const (
	linesPerSecond = 10
	linesBurst     = 100
)

// lines writes lines about single clients. Each kind of line has a bound of its own. A line
// that is written says how many of its kind were left out before it.
type lines struct{ ended, rejected sampler }

// sampler is a bound on lines of one kind.
type sampler struct {
	// Guarded by mu.
	mu      sync.Mutex
	bucket  bucket
	omitted uint64
}

// take reports whether a line may be written, and how many were left out before it.
func (s *sampler) take(now time.Time) (omitted uint64, may bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bucket.take(policy.Rate{PerSecond: linesPerSecond, Burst: linesBurst}, now) > 0 {
		s.omitted++
		return 0, false
	}
	omitted, s.omitted = s.omitted, 0
	return omitted, true
}

// write writes a line, unless there were too many of its kind.
func (s *sampler) write(log *slog.Logger, text string, args ...any) {
	if !log.Enabled(context.Background(), slog.LevelInfo) {
		return
	}
	omitted, may := s.take(time.Now())
	if !may {
		return
	}
	if omitted > 0 {
		args = append(args, "omitted", omitted)
	}
	log.Info(text, printable(args)...)
}

// maxLogged is how many bytes of one attribute a line about a client may have.
const maxLogged = 512

// printable escapes what does not print in attributes: encoders of Caddy's log leave DEL and the
// controls U+0080 to U+009F as they are, and terminals obey those. An Origin may have them.
func printable(args []any) []any {
	for i, a := range args {
		if text, ok := a.(string); ok {
			args[i] = protocol.Printable(text, maxLogged)
		}
	}
	return args
}

// LogRejected writes a line about a handshake or an event stream that was rejected. channel is the
// channel of the stream that decided; empty for none. args are further attributes.
func (r *Registry) LogRejected(p *Principal, channel string, e *protocol.Error, args ...any) {
	u := r.rules.Load()
	caller := Caller{Principal: p}
	all := append([]any{"user", caller.User(), "code", e.Code, "reason", e.Message}, args...)
	if channel != "" {
		all = u.withRule(append(all, "channel", channel), &caller.who().Subject, channel, e)
	}
	r.rules.lines.rejected.write(u.log, "connection rejected", withDetail(all, e)...)
}

func withDetail(args []any, e *protocol.Error) []any {
	if e.Detail != "" {
		args = append(args, "detail", e.Detail)
	}
	return args
}

// logRejected is LogRejected for a subscription that a room of the configuration, or the app, has
// rejected: the line says which.
func (s *Session) logRejected(channel string, e *protocol.Error) {
	s.LogRejected(channel, e, s.registry.rules.Load().withRule(nil, &s.who().Subject, channel, e)...)
}

// LogRejected writes a line about a subscription that was rejected. A dialect calls it for what it rejects
// before [Session.Subscribe], and says in the error's Detail what decided. args are further attributes.
func (s *Session) LogRejected(channel string, e *protocol.Error, args ...any) {
	switch e.Code {
	case protocol.AlreadySubscribed, protocol.InvalidMessage:
		return // a mistake of the client, which it gets told
	}
	all := append([]any{
		"channel", channel, "user", s.who().User, "connection", s.connection().ID(), "transport", s.name,
		"code", e.Code, "reason", e.Message,
	}, args...)
	s.registry.rules.lines.rejected.write(s.registry.rules.Load().log, "subscription rejected", withDetail(all, e)...)
}

// logNotAuthenticated writes a line about a token that the client has sent over its connection, and
// that was not accepted. The connection stays open, so there is no line about a rejected connection.
func (s *Session) logNotAuthenticated(e *protocol.Error) {
	p := s.who()
	args := []any{"user", p.User, "connection", s.connection().ID(), "transport", s.name, "code", e.Code, "reason", e.Message}
	if p.IP.IsValid() {
		args = append(args, "address", p.IP.Unmap().String())
	}
	s.registry.rules.lines.rejected.write(s.registry.rules.Load().log, "authentication rejected", withDetail(args, e)...)
}

// withRule adds the rule that rejected a subscription, if a rule of the configuration did.
func (u *rules) withRule(args []any, who *policy.Subject, channel string, e *protocol.Error) []any {
	if e.Detail != "" || e.Code != protocol.Forbidden && e.Code != protocol.Unauthorized {
		return args
	}
	if rule := u.ruleAgainst(who, channel); rule != "" {
		args = append(args, "rule", rule)
	}
	return args
}

// ruleAgainst names what the configuration says against a subscription of a client to a channel, which may
// be one with its history, or to a pattern. It returns "" if the configuration says nothing against it.
func (u *rules) ruleAgainst(who *policy.Subject, channel string) string {
	if protocol.IsPattern(channel) {
		if d := u.policy.ExplainPattern(who, channel); d.Err != nil {
			return d.Because
		}
		return ""
	}
	room := u.policy.Match(channel)
	if room == nil {
		return "no room has this channel"
	}
	rule := "room " + room.Pattern + ": "
	switch {
	case room.Allow(policy.Subscribe, who, channel) != nil:
		rule += policy.Subscribe.String() + " " + room.Subscribe.String()
	case room.Allow(policy.History, who, channel) != nil:
		return rule + policy.History.String() + " " + room.HistoryAccess.String()
	default:
		return ""
	}
	if !room.OwnedBy(who, channel) {
		rule += ", and the channel belongs to another user or claim"
	}
	return rule
}

// logEnded writes the line about a connection that is over.
func (s *Session) logEnded(code uint16, reason string) {
	conn := s.connection()
	sent := conn.Sent()
	if s.followed() {
		s.tell("connection ended", "code", code, "reason", reason)
	}
	s.registry.rules.lines.ended.write(s.registry.rules.Load().log, "connection ended",
		"connection", conn.ID(), "user", s.who().User, "transport", s.name, "dialect", dialectName(s.dialect),
		"duration", time.Since(s.started), "received", s.received.Load(), "received_bytes", s.receivedBytes.Load(),
		"sent", sent.Messages, "sent_bytes", sent.Bytes, "code", code, "reason", reason)
}
