package poller

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// What is written before Open is kept up to a bound; what waits goes on then.
func TestStreamKeeps(t *testing.T) {
	t.Parallel()
	c, client := ends(t)
	var s Stream
	if n, err := s.TryWrite([]byte("kept")); n != 4 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := s.TryWrite(make([]byte, maxKept)); n != 0 || err != nil {
		t.Error(n, err)
	}
	if got := string(s.Kept()); got != "kept" {
		t.Errorf("kept %q", got)
	}
	if n, err := s.TryWrite([]byte("x")); n != 0 || err != nil {
		t.Error(n, err)
	}
	wrote := make(chan error, 1)
	go func() { wrote <- s.Write([]byte("later"), time.Minute) }()
	s.Open(c)
	if err := <-wrote; err != nil {
		t.Fatal(err)
	}
	_ = s.CloseWrite()
	if got, err := io.ReadAll(client); string(got) != "later" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// A stream that is closed before Open closes the connection, and what waits gets an error.
func TestStreamClosedBeforeOpen(t *testing.T) {
	t.Parallel()
	c, client := ends(t)
	var s Stream
	_ = s.CloseWrite()
	s.Kept()
	got := make(chan error, 1)
	s.WhenWritable(time.Minute, func(err error) { got <- err })
	_ = s.Close()
	if err := <-got; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if _, err := s.TryWrite([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	s.Open(c)
	if got, err := io.ReadAll(client); len(got) > 0 || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
