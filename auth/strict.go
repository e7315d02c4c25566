package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// checkToken rejects tokens that another reader may understand differently, and tokens that
// demand more than this package does. The library that verifies tokens checks none of it.
func checkToken(token string) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return errors.New("auth: the token must have three parts with dots between them")
	}
	header, err := strictPart(parts[0])
	if err != nil {
		return fmt.Errorf("auth: the token's header: %w", err)
	}
	if _, err = strictPart(parts[1]); err != nil {
		return fmt.Errorf("auth: the token's claims: %w", err)
	}
	return checkHeader(header)
}

// strictPart decodes one part of a token.
func strictPart(part string) ([]byte, error) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, err
	}
	return text, CheckJSON(text)
}

// checkHeader rejects extensions, because this package supports none (RFC 7515, section
// 4.1.11), and payloads that are not encoded (RFC 7797).
func checkHeader(text []byte) error {
	var header map[string]json.RawMessage
	if err := json.Unmarshal(text, &header); err != nil {
		return fmt.Errorf("auth: the token's header: %w", err)
	}
	if crit, there := header["crit"]; there {
		return fmt.Errorf("auth: the token needs extensions (crit) that are not supported: %.100q", crit)
	}
	if b64, there := header["b64"]; there && string(b64) != "true" {
		return errors.New("auth: the token's payload is not encoded (b64)")
	}
	return nil
}

// CheckJSON rejects a JSON text that two readers may understand differently: text after the
// value, bytes that are not UTF-8, half of a surrogate pair, or two members with one name
// in an object. The decoder of the standard library replaces or ignores all of these, so
// that two different users could become one.
func CheckJSON(text []byte) error {
	switch {
	case !utf8.Valid(text):
		return errors.New("the text is not UTF-8")
	case !json.Valid(text):
		return errors.New("the text is not one JSON value")
	case halfPair(text):
		return errors.New("the text holds half of a surrogate pair")
	}
	return checkNames(text)
}

// halfPair reports whether a valid JSON text has an escape that stands for no character.
func halfPair(text []byte) bool {
	for {
		at := bytes.IndexByte(text, '\\')
		if at < 0 {
			return false
		}
		text = text[at:]
		r, n := escaped(text)
		if utf16.IsSurrogate(r) {
			low, m := escaped(text[n:])
			if utf16.DecodeRune(r, low) == utf8.RuneError {
				return true
			}
			n += m
		}
		text = text[n:]
	}
}

// escaped returns the UTF-16 unit of the escape \uXXXX at the beginning of a text, and
// the length of the escape. The unit is 0 if the text starts with something else.
func escaped(text []byte) (unit rune, length int) {
	switch {
	case len(text) < 2 || text[0] != '\\':
		return 0, 0
	case text[1] != 'u' || len(text) < 6:
		return 0, 2
	}
	n, _ := strconv.ParseUint(string(text[2:6]), 16, 16) // valid
	return rune(n), 6
}

// checkNames returns an error if any object of a valid JSON text has two members with one
// name.
func checkNames(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var open []map[string]bool // the names of each open object; nil for an array
	isName := false            // the next token of the innermost object
	for {
		t, err := d.Token()
		if err != nil {
			return nil // the end: the text is valid
		}
		name, isText := t.(string)
		switch {
		case t == json.Delim('{'):
			open, isName = append(open, make(map[string]bool)), true
			continue
		case t == json.Delim('['):
			open = append(open, nil)
		case t == json.Delim('}'), t == json.Delim(']'):
			open = open[:len(open)-1]
		case isName && isText:
			names := open[len(open)-1]
			if names[name] {
				return fmt.Errorf("an object has the member %.100q twice", name)
			}
			names[name], isName = true, false
			continue
		}
		isName = len(open) > 0 && open[len(open)-1] != nil // a value has ended, or an array starts
	}
}
