package auth

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// maxToken is the greatest length of a token in bytes.
const maxToken = 8 << 10

// The errors of [Verifier.Verify] that callers branch on. Every other error means that the
// token is not good.
var (
	// ErrExpired means that the token is good except for its expiry: the client needs a new
	// one.
	ErrExpired = errors.New("auth: the token has expired")
	// ErrKeys means that the key set could not be fetched. The token may be good.
	ErrKeys = errors.New("auth: the keys cannot be fetched")
	// ErrBusy means that too many tokens are being verified. The token may be good.
	ErrBusy = errors.New("auth: too many tokens are being verified")
)

// maxExpires is in the year 5138. A larger number counts milliseconds, and the token would
// never expire.
const maxExpires = 100_000_000_000

// maxVerifying limits the tokens that one verifier works on at once, because all of them
// wait while keys can not be fetched. One address may have a quarter of the turns, because
// tokens with invented keys wait for a fetch, too.
const maxVerifying = 64

// Config says which tokens a [Verifier] accepts. It must have exactly one kind of key:
// secrets, public keys or JWKS.
type Config struct {
	Keys
	// Before is called before each verification, by several goroutines at once. It may
	// replace changed keys by [Verifier.Replace]. Nil does nothing.
	Before func()
	// JWKS is the https URL of the issuer's key set (RFC 7517). For a loopback address http
	// is accepted, too.
	JWKS string
	// Issuer must be equal to the token's iss. Empty accepts any.
	Issuer string
	// Audience must be in the token's aud. Empty accepts any.
	Audience string
	// Leeway allows for clocks that differ; 0 means [DefaultLeeway]. A token is accepted for
	// this time after its expiry. [Identity.Expires] includes it.
	Leeway time.Duration
	// Client fetches the key set. Nil means a client with the limits of this package.
	Client *http.Client
}

// Verifier verifies tokens.
type Verifier struct {
	parser *jwt.Parser
	leeway time.Duration
	// What a token must have, for errors.
	algorithms       []string
	issuer, audience string
	keys             func(context.Context) (jwt.Keyfunc, error)
	start            func(context.Context, func(error))
	set              *keySet // nil with other keys
	ring             *ring   // nil with a key set
	before           func()  // may be nil
	turns            *turns  // for tokens
}

// DefaultLeeway is the default of [Config.Leeway].
const DefaultLeeway = 30 * time.Second

// New returns a verifier. It does no I/O.
func New(c Config) (*Verifier, error) {
	algorithms, v, err := c.keys()
	if err != nil {
		return nil, err
	}
	leeway := cmp.Or(c.Leeway, DefaultLeeway)
	options := []jwt.ParserOption{
		jwt.WithValidMethods(algorithms), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway), jwt.WithJSONNumber(), jwt.WithStrictDecoding(),
	}
	if c.Issuer != "" {
		options = append(options, jwt.WithIssuer(c.Issuer))
	}
	if c.Audience != "" {
		options = append(options, jwt.WithAudience(c.Audience))
	}
	v.parser, v.leeway, v.turns, v.before = jwt.NewParser(options...), leeway, newTurns(maxVerifying), c.Before
	v.algorithms, v.issuer, v.audience = algorithms, c.Issuer, c.Audience
	return v, nil
}

// keys returns the accepted algorithms, and a verifier that has its keys or knows their
// URL.
func (c Config) keys() ([]string, *Verifier, error) {
	given := 0
	for _, is := range []bool{len(c.Secrets) > 0, len(c.Public) > 0, c.JWKS != ""} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return nil, nil, fmt.Errorf("auth: give exactly one of secrets, public keys and a key set; %d are given", given)
	case c.JWKS != "":
		set, err := newKeySet(c.JWKS, c.Client)
		if err != nil {
			return nil, nil, err
		}
		return publicAlgorithms, &Verifier{keys: set.keyfunc, start: set.start, set: set}, nil
	}
	keys, err := c.compile()
	if err != nil {
		return nil, nil, err
	}
	algorithms := publicAlgorithms // each key narrows them down
	if len(c.Secrets) > 0 {
		algorithms = hmacAlgorithms
	}
	return algorithms, fixed(keys), nil
}

// fixed returns a verifier with the keys of the configuration.
func fixed(keys []key) *Verifier {
	r := new(ring)
	r.keys.Store(&keys)
	return &Verifier{
		keys:  func(context.Context) (jwt.Keyfunc, error) { return r.find, nil },
		start: func(context.Context, func(error)) {},
		ring:  r,
	}
}

// Replace replaces the keys of [Config.Keys] by others of the same kind. A token that was
// verified before stays verified. If the keys do not pass [Keys.Check], Replace returns an
// error and changes nothing.
func (v *Verifier) Replace(k Keys) error {
	if v.ring == nil {
		return errors.New("auth: the keys of a key set are fetched and can not be replaced")
	}
	keys, err := k.compile()
	if err == nil {
		v.ring.keys.Store(&keys)
	}
	return err
}

// TakeOver makes v start with the keys that another verifier fetched from the same URL. So
// they stay in use if the issuer is away when v starts. TakeOver is called before Start;
// from may be nil.
func (v *Verifier) TakeOver(from *Verifier) {
	if v.set != nil && from != nil && from.set != nil && v.set.url == from.set.url {
		v.set.keys = from.set.keys
	}
}

// Start starts to fetch the key set, and fetches it again and again until ctx ends. It calls
// report with what goes wrong. Without a key set Start does nothing.
func (v *Verifier) Start(ctx context.Context, report func(error)) { v.start(ctx, report) }

// Leeway returns how long a token is accepted after its expiry. A nil verifier has none.
func (v *Verifier) Leeway() time.Duration {
	if v == nil {
		return 0
	}
	return v.leeway
}

// Verify verifies a token and returns its identity. Until ctx ends it waits for keys and
// for a turn. The errors [ErrExpired], [ErrKeys] and [ErrBusy] are for the client. All
// others are for logs only, because they may help an attacker.
func (v *Verifier) Verify(ctx context.Context, token string) (Identity, error) {
	return v.VerifyFrom(ctx, netip.Addr{}, token)
}

// VerifyFrom is Verify for a token that comes from an address, or a network, with a share
// of the turns. A token whose key was fetched already needs no turn, so that it does not
// wait behind tokens with invented keys.
func (v *Verifier) VerifyFrom(ctx context.Context, from netip.Addr, token string) (Identity, error) {
	if len(token) > maxToken {
		return Identity{}, fmt.Errorf("auth: the token has %d bytes; at most %d are accepted", len(token), maxToken)
	}
	if v.set != nil && v.set.known(token) {
		return v.verify(ctx, token)
	}
	if !v.turns.take(ctx, from) {
		return Identity{}, ErrBusy
	}
	defer v.turns.give(from)
	return v.verify(ctx, token)
}

func (v *Verifier) verify(ctx context.Context, token string) (Identity, error) {
	if v.before != nil {
		v.before()
	}
	find, err := v.keys(ctx)
	if err != nil {
		return Identity{}, err
	}
	if err = checkToken(token); err != nil {
		return Identity{}, err
	}
	var c claims
	t, err := v.parser.ParseWithClaims(token, &c, find)
	switch {
	case err == nil:
		return c.identity(v.leeway)
	case errors.Is(err, ErrKeys):
		return Identity{}, ErrKeys
	case onlyExpired(err):
		return Identity{}, ErrExpired
	}
	return Identity{}, v.problem(err, t, &c)
}

// onlyExpired reports whether the expiry alone is wrong. The signature is verified first,
// so that nobody learns this about a token that was never good.
func onlyExpired(err error) bool {
	others := []error{
		jwt.ErrTokenInvalidIssuer, jwt.ErrTokenInvalidAudience, jwt.ErrTokenNotValidYet,
		jwt.ErrTokenUsedBeforeIssued, jwt.ErrTokenSignatureInvalid,
	}
	for _, other := range others {
		if errors.Is(err, other) {
			return false
		}
	}
	return errors.Is(err, jwt.ErrTokenExpired)
}

// claims are the claims of RFC 7519 and ours. all has every claim, for patterns.
type claims struct {
	jwt.RegisteredClaims
	Info     json.RawMessage `json:"info"`
	Channels []Grant         `json:"channels"`

	all map[string]any
}

// UnmarshalJSON reads the known claims and keeps the others. It compares names exactly,
// which the decoder of structs does not: "Sub" is none of our claims, and an issuer may let
// its users choose the names of further claims.
func (c *claims) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber() // a float64 would make two large ids look the same
	if err := d.Decode(&c.all); err != nil {
		return err
	}
	known := make(map[string]any, len(knownClaims))
	for _, name := range knownClaims {
		if value, there := c.all[name]; there {
			known[name] = value
		}
	}
	text, err := json.Marshal(known)
	if err != nil {
		return err
	}
	type plain claims
	return claimErrorOf(json.Unmarshal(text, (*plain)(c)))
}

var knownClaims = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "info", "channels"}

func (c *claims) identity(leeway time.Duration) (Identity, error) {
	if len(c.Info) > 0 && c.Info[0] != '{' && string(c.Info) != "null" {
		return Identity{}, errors.New("auth: the claim info must be a JSON object")
	}
	if c.ExpiresAt.Unix() > maxExpires {
		return Identity{}, errors.New("auth: the claim exp must be in seconds since 1970")
	}
	if !ValidUser(c.Subject) {
		return Identity{}, errors.New("auth: the claim sub can not be a user id: it is longer than 255 bytes, has control characters or space around it, or is . or ..")
	}
	id := Identity{
		User: c.Subject, Expires: c.ExpiresAt.Add(leeway), ID: c.ID,
		Grants: c.Channels, Claims: make(map[string]string),
	}
	if len(c.Info) > 0 && c.Info[0] == '{' {
		id.Info = c.Info
	}
	if c.IssuedAt != nil {
		id.Issued = c.IssuedAt.Time
	}
	for name, value := range c.all {
		if text, ok := scalar(value); ok {
			id.Claims[name] = text
		}
	}
	return id, nil
}

func scalar(value any) (string, bool) {
	switch value := value.(type) {
	case string:
		return value, true
	case bool:
		return strconv.FormatBool(value), true
	case json.Number:
		return value.String(), true
	}
	return "", false
}
