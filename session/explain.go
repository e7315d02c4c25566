package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// ExplainQuery says what to explain.
type ExplainQuery struct {
	// Channel is a channel, or a pattern to subscribe to.
	Channel string
	Action  policy.Action
	// Word is the action as the caller wrote it.
	Word string
	// User or Token is the client; without both it is anonymous.
	User, Token string
	// Realm is the path by which the client comes in; empty: the only one, if there is one.
	Realm string
}

// Explanation says what a client may do, and which rule decides that.
type Explanation struct {
	Allowed   bool                `json:"allowed"`
	Channel   string              `json:"channel,omitempty"`
	Pattern   string              `json:"pattern,omitempty"`
	Action    string              `json:"action"`
	Caller    ExplainedCaller     `json:"caller"`
	Code      protocol.Code       `json:"code,omitempty"`
	Message   string              `json:"message,omitempty"`
	Room      *policy.BlockAccess `json:"room,omitempty"`
	Forbids   *policy.Block       `json:"forbids,omitempty"`
	Skipped   []policy.Block      `json:"skipped,omitempty"`
	Rule      policy.Rule         `json:"rule"`
	Authorize *ExplainedQuestion  `json:"authorize,omitempty"`
	Text      string              `json:"text"`
}

// ExplainedCaller is the client of an [Explanation].
type ExplainedCaller struct {
	Kind    string            `json:"kind"`
	User    string            `json:"user,omitempty"`
	Claims  map[string]string `json:"claims,omitempty"`
	Grants  []ExplainedGrant  `json:"grants,omitempty"`
	Expires int64             `json:"expires,omitempty"`
	Problem string            `json:"problem,omitempty"`
}

// ExplainedGrant is a grant of a token.
type ExplainedGrant struct {
	Pattern string   `json:"pattern"`
	Allow   []string `json:"allow"`
}

// ExplainedQuestion is what the app is asked.
type ExplainedQuestion struct {
	Asked bool   `json:"asked"`
	What  string `json:"what"`
	Realm string `json:"realm"`
}

const (
	ruleToken            policy.Rule = "token"
	ruleMustAuthenticate policy.Rule = "must_authenticate"
)

// Explain explains what a client may do in a channel, or with a pattern. It does not ask the app.
func (r *Registry) Explain(ctx context.Context, q ExplainQuery) Explanation {
	u := r.rules.Load()
	x := Explanation{Channel: q.Channel, Action: q.Word, Caller: ExplainedCaller{Kind: "anonymous"}}
	if protocol.IsPattern(q.Channel) {
		x.Channel, x.Pattern = "", q.Channel
	}
	realm := u.realmNamed(q.Realm)
	p := &Principal{Realm: realm}
	switch {
	case q.Token != "":
		x.Caller.Kind = "token"
		var problem string
		if p, problem = r.principalOf(ctx, u.realms[realm], q.Token, p); problem != "" {
			x.Caller.Problem = problem
			return x.reject(ruleToken, protocol.Errorf(protocol.Unauthorized, "the token was not accepted"), "the token does not count: "+problem)
		}
	case q.User != "":
		x.Caller.Kind = "user"
		p.User = q.User
	}
	x.Caller.describe(p)
	if e := u.mustAuthenticate(p); e != nil {
		return x.reject(ruleMustAuthenticate, e, "the block 'token' says 'required'")
	}
	d := u.decide(q, p)
	x.Room, x.Forbids, x.Skipped = d.Room, d.Forbids, d.Skipped
	if d.Err != nil {
		return x.reject(d.Rule, d.Err, d.Because)
	}
	x.Allowed, x.Rule = true, d.Rule
	x.Text = x.sentence("may") + " " + upper(d.Because) + "."
	if what := questionFor(q.Action); u.realms[realm].Authorize != nil && u.realms[realm].Ask&what != 0 {
		x.Authorize = &ExplainedQuestion{true, what.String(), realm}
		x.Text += " The app is asked as well (authorize " + what.String() + "), and may still forbid it."
	}
	return x
}

// decide asks the policy about a channel or a pattern.
func (u *rules) decide(q ExplainQuery, p *Principal) policy.Decision {
	if protocol.IsPattern(q.Channel) {
		return u.policy.ExplainPattern(&p.Subject, q.Channel)
	}
	return u.policy.Explain(q.Action, &p.Subject, q.Channel)
}

// Realms returns whether a realm exists, and the paths of all realms in order. An empty name
// stands for any.
func (r *Registry) Realms(name string) (exists bool, paths []string) {
	realms := r.rules.Load().realms
	for _, realm := range slices.Sorted(maps.Keys(realms)) {
		if strings.HasPrefix(realm, "/") { // the other names are of the same routes
			paths = append(paths, realm)
		}
	}
	_, exists = realms[name]
	return exists || name == "", paths
}

// realmNamed returns the name of a realm: the given one, or the only one.
func (u *rules) realmNamed(name string) string {
	if name != "" {
		return name
	}
	for realm, r := range u.realms {
		if r.Verifier == nil && r.Authorize == nil && !r.Required {
			continue
		}
		if name != "" && len(realm) >= len(name) {
			continue // the other name of the same realm is longer
		}
		name = realm
	}
	return name
}

// principalOf returns who a token stands for, or why it does not count.
func (r *Registry) principalOf(ctx context.Context, realm Realm, token string, p *Principal) (*Principal, string) {
	if realm.Verifier == nil {
		return p, "the path takes no tokens"
	}
	id, err := realm.Verifier.Verify(ctx, token)
	switch {
	case errors.Is(err, auth.ErrExpired):
		return p, "it has expired"
	case err != nil:
		return p, tokenProblem(err)
	}
	if e := r.Revocations.Check(id); e != nil {
		return p, "it was revoked"
	}
	known, err := p.As(id, p.AsOf)
	if err != nil {
		return p, tokenProblem(err)
	}
	return known, ""
}

func (c *ExplainedCaller) describe(p *Principal) {
	c.User, c.Claims = p.User, p.Claims
	if !p.Expires.IsZero() {
		c.Expires = p.Expires.UnixMilli()
	}
	for _, g := range p.Grants.List() {
		c.Grants = append(c.Grants, ExplainedGrant(g))
	}
}

func (x Explanation) reject(rule policy.Rule, e *protocol.Error, because string) Explanation {
	x.Rule, x.Code, x.Message = rule, e.Code, e.Message
	x.Text = x.sentence("may not") + " " + upper(because) + "."
	return x
}

// sentence says who may do what.
func (x *Explanation) sentence(may string) string {
	who := "An anonymous client"
	if x.Caller.User != "" {
		who = x.Caller.User
	} else if x.Caller.Kind == "token" {
		who = "The client with this token"
	}
	what := x.Action
	if a, err := policy.ParseAction(x.Action); err == nil {
		what = a.String()
	}
	return fmt.Sprintf("%s %s %s %s.", who, may, what, cmp.Or(x.Channel, x.Pattern))
}

// upper returns a sentence with a capital letter in front.
func upper(s string) string {
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}

// questionFor returns about which action the app is asked before a client does something.
func questionFor(a policy.Action) auth.Action {
	if a == policy.Publish || a == policy.Change {
		return auth.Publish
	}
	return auth.Subscribe
}
