package block

import "strings"

// located is an error that already names its place.
type located struct{ error }

func (l located) Unwrap() error { return l.error }

// Located marks an error that already names its place, so that ParseBlock adds no option to
// it.
func Located(err error) error { return located{err} }

// trimmed is an error without the first words of its text.
type trimmed struct {
	option string
	error
}

// Trim returns the error without the name of the Go package, or of the option, at the
// start of its text. The caller names the option.
func Trim(option string, err error) error { return trimmed{option, err} }

func (t trimmed) Error() string {
	text := strings.TrimPrefix(t.error.Error(), "auth: ")
	return strings.TrimPrefix(text, t.option+": ")
}

func (t trimmed) Unwrap() error { return t.error }
