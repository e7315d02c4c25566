package document

import (
	"strconv"
	"strings"
)

// pointer is a JSON pointer (RFC 6901), split into segments without escapes.
type pointer []string

// parsePointer parses a pointer. The empty one is the whole document.
func parsePointer(s string, l Limits) (pointer, *Error) {
	switch {
	case s == "":
		return nil, nil
	case len(s) > l.Pointer:
		return nil, failf(TooLarge, "a path has more than %d bytes", l.Pointer)
	case s[0] != '/':
		return nil, failf(Invalid, "the path %s does not begin with a slash", quote(s))
	}
	p := pointer(strings.Split(s[1:], "/"))
	for i, segment := range p {
		plain, ok := unescape(segment)
		switch {
		case !ok:
			return nil, failf(Invalid, "the path %s has a ~ that is followed by neither 0 nor 1", quote(s))
		case isForbiddenName(plain):
			return nil, failf(Invalid, "members may not be named %s", quote(plain))
		}
		p[i] = plain
	}
	return p, nil
}

func unescape(segment string) (string, bool) {
	if !strings.Contains(segment, "~") {
		return segment, true
	}
	plain := unescaper.Replace(segment)
	return plain, strings.Count(segment, "~") == strings.Count(segment, "~0")+strings.Count(segment, "~1")
}

var (
	unescaper = strings.NewReplacer("~0", "~", "~1", "/")
	escaper   = strings.NewReplacer("~", "~0", "/", "~1")
)

// String returns the pointer with its escapes.
func (p pointer) String() string {
	var b strings.Builder
	for _, segment := range p {
		b.WriteByte('/')
		_, _ = escaper.WriteString(&b, segment)
	}
	return b.String()
}

// child appends a segment to an escaped pointer.
func child(p, segment string) string { return p + "/" + escaper.Replace(segment) }

// indexOf returns the index that a segment names. The element was found before, so it has one.
func indexOf(segment string) int {
	i, _ := strconv.Atoi(segment)
	return i
}

// parseIndex parses an index up to and including top, as RFC 6901 writes it.
func parseIndex(s string, top int) (int, bool) {
	if s == "" || len(s) > 1 && s[0] == '0' || s[0] < '0' || s[0] > '9' {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n <= top
}
