package rawtcp

import (
	"errors"
	"os"
	"testing"
	"time"
)

// What is written to a corked connection arrives when the cork is out.
func TestCork(t *testing.T) {
	t.Parallel()
	near, far := tcp(t)
	SetCork(near, true)
	for _, s := range []string{"one", "two"} {
		if _, err := near.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 10)
	_ = far.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if n, err := far.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%q, %v", buf[:n], err)
	}
	SetCork(near, false)
	_ = far.SetReadDeadline(time.Now().Add(time.Minute))
	if n, err := far.Read(buf); string(buf[:n]) != "onetwo" {
		t.Errorf("%q, %v", buf[:n], err)
	}
}
