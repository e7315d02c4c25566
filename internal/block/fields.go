package block

import (
	"errors"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// The functions of this file make options that set one field, which the argument finds.

// Count is an option that is a whole number.
func Count[T any](field func(T) *int) Option[T] {
	return Option[T]{Syntax: "<n>", Min: 1, Max: 1, Parse: func(_ *caddyfile.Dispenser, args []string, c T) (err error) {
		*field(c), err = ParseCount(args[0])
		return err
	}}
}

// Size is an option that is a number of bytes.
func Size[T any](field func(T) *int64) Option[T] {
	return Option[T]{Syntax: "<size>", Min: 1, Max: 1, Parse: func(_ *caddyfile.Dispenser, args []string, c T) (err error) {
		*field(c), err = ParseSize(args[0])
		return err
	}}
}

// Word is an option with one argument. check checks it.
func Word[T any](syntax string, field func(T) *string, check func(string) error) Option[T] {
	return Option[T]{Syntax: syntax, Min: 1, Max: 1, Parse: func(_ *caddyfile.Dispenser, args []string, c T) error {
		*field(c) = args[0]
		return check(args[0])
	}}
}

// Text is an option whose text must not be empty.
func Text[T any](syntax string, field func(T) *string) Option[T] {
	return Word(syntax, field, func(s string) error {
		if s == "" {
			return errors.New("the text must not be empty")
		}
		return nil
	})
}

// Duration is an option that is a positive duration.
func Duration[T any](field func(T) *caddy.Duration) Option[T] {
	return Option[T]{Syntax: "<duration>", Min: 1, Max: 1, Parse: func(_ *caddyfile.Dispenser, args []string, c T) (err error) {
		*field(c), err = ParseDuration(args[0])
		return err
	}}
}

// DurationOrOff is an option that is a duration, or `off` for none, which is
// negative in the configuration because zero means the default there.
func DurationOrOff[T any](field func(T) *caddy.Duration) Option[T] {
	return Option[T]{Syntax: "<duration>|off", Min: 1, Max: 1, Parse: func(_ *caddyfile.Dispenser, args []string, c T) (err error) {
		if args[0] == "off" {
			*field(c) = -1
			return nil
		}
		*field(c), err = ParseDuration(args[0])
		return err
	}}
}
