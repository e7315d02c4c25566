package pace

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// keeper is a stream that keeps the slices it is given, and takes so many bytes.
type keeper struct {
	left int
	got  bytes.Buffer
	kept [][]byte
}

var errCut = errors.New("the connection has ended")

func (k *keeper) Write(p []byte) (int, error) {
	k.kept = append(k.kept, p)
	n := min(len(p), k.left)
	k.left -= n
	k.got.Write(p[:n])
	if n < len(p) {
		return n, errCut
	}
	return n, nil
}

func TestPortions(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("0123456789", 2000)
	for _, left := range []int{0, 1, portion - 1, portion, portion + 1, 3 * portion, len(text)} {
		k := &keeper{left: left}
		p := []byte(text)
		n, err := Portions(k, &http.Request{ProtoMajor: 3}).Write(p)
		if n != left || k.got.String() != text[:left] || (err != nil) != (left < len(text)) {
			t.Errorf("of %d bytes %d were written: %v", left, n, err)
		}
		for _, b := range k.kept {
			if cap(b) > portion || &b[0] == &p[0] {
				t.Errorf("the stream was given a slice of %d bytes", cap(b))
			}
		}
	}
}

// A stream that was cut may still refer to the copy: nobody else gets it.
func TestPortionsOfACutStream(t *testing.T) {
	t.Parallel()
	r := &http.Request{ProtoMajor: 3}
	k := new(keeper)
	if _, err := Portions(k, r).Write([]byte("mine")); !errors.Is(err, errCut) {
		t.Fatal(err)
	}
	for range 100 {
		if _, err := Portions(io.Discard, r).Write([]byte("yours")); err != nil {
			t.Fatal(err)
		}
	}
	if got := string(k.kept[0]); got != "mine" {
		t.Errorf("the stream refers to %q", got)
	}
}

func TestPortionsOfOtherVersions(t *testing.T) {
	t.Parallel()
	for _, major := range []int{1, 2} {
		if k := new(keeper); Portions(k, &http.Request{ProtoMajor: major}) != io.Writer(k) {
			t.Errorf("HTTP/%d gets copies", major)
		}
	}
}
