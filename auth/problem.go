package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// problem says in one error why the parser rejected a token. The log and `explain` show the error to the
// operator. The error names what the token says and what the configuration wants. It has claims only if
// the signature was verified, and never a token or a key.
func (v *Verifier) problem(err error, t *jwt.Token, c *claims) error {
	var wrong *claimError
	switch {
	case errors.As(err, &wrong):
		return fmt.Errorf("auth: %w", wrong)
	case errors.Is(err, jwt.ErrTokenSignatureInvalid) && t != nil && !slices.Contains(v.algorithms, t.Method.Alg()):
		return fmt.Errorf("auth: the algorithm of the token is %.20q; the configured keys take only %s", t.Method.Alg(), strings.Join(v.algorithms, ", "))
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return errors.New("auth: the signature of the token does not fit any configured key")
	case errors.Is(err, jwt.ErrTokenInvalidClaims):
		if said := v.claimProblems(err, c); said != "" {
			return errors.New("auth: " + said)
		}
	}
	return fmt.Errorf("auth: %w", err)
}

// claimProblems describes every claim that is wrong. It returns "" if it knows none of them.
func (v *Verifier) claimProblems(err error, c *claims) string {
	var said []string
	for _, p := range []struct {
		is   error
		text string
	}{
		{jwt.ErrTokenExpired, "the token has expired"},
		{jwt.ErrTokenInvalidIssuer, fmt.Sprintf("the claim iss is %.100q; the option issuer wants %q", c.Issuer, v.issuer)},
		{jwt.ErrTokenInvalidAudience, fmt.Sprintf("the claim aud is %.100q; the option audience wants %q", []string(c.Audience), v.audience)},
		{jwt.ErrTokenNotValidYet, "the claim nbf is in the future, or a clock is wrong"},
		{jwt.ErrTokenUsedBeforeIssued, "the claim iat is in the future, or a clock is wrong"},
	} {
		if errors.Is(err, p.is) {
			said = append(said, p.text)
		}
	}
	if errors.Is(err, jwt.ErrTokenRequiredClaimMissing) {
		said = append(said, v.missing(c))
	}
	return strings.Join(said, "; ")
}

// missing names the required claims that the token does not have.
func (v *Verifier) missing(c *claims) string {
	var names []string
	if c.ExpiresAt == nil {
		names = append(names, "exp")
	}
	if c.Issuer == "" && v.issuer != "" {
		names = append(names, "iss")
	}
	if len(c.Audience) == 0 && v.audience != "" {
		names = append(names, "aud")
	}
	return "the token lacks a required claim: " + strings.Join(names, ", ")
}

// claimError is a claim of a type that is not the right one, such as a number as sub.
type claimError struct{ name, is, want string }

func (e *claimError) Error() string {
	return fmt.Sprintf("the claim %s has a JSON %s where a JSON %s must be", e.name, e.is, e.want)
}

// claimErrorOf turns the decoder's error about a type, which speaks of Go, into one about a claim.
// It returns other errors as they are.
func claimErrorOf(err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) || wrong.Field == "" {
		return err
	}
	e := &claimError{name: strings.TrimPrefix(wrong.Field, "RegisteredClaims."), is: wrong.Value, want: "object"}
	switch wrong.Type.Kind() {
	case reflect.String:
		e.want = "string"
	case reflect.Slice:
		e.want = "array"
	}
	return e
}
