package pace

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// writer remembers the deadlines that it is given.
type writer struct {
	http.ResponseWriter
	read, write time.Time
}

func (w *writer) SetReadDeadline(at time.Time) error  { w.read = at; return nil }
func (w *writer) SetWriteDeadline(at time.Time) error { w.write = at; return nil }

func TestAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &writer{ResponseWriter: httptest.NewRecorder()}
		Answer(w, 160<<10)
		if got := time.Until(w.write); got != 20*time.Second {
			t.Errorf("160 KiB may take %v", got)
		}
		if !w.read.IsZero() {
			t.Error("an answer ends what is read")
		}
		Rejection(w, 0)
		if time.Until(w.read) != Grace || time.Until(w.write) != Grace {
			t.Errorf("a refusal may take %v, and the body %v", time.Until(w.write), time.Until(w.read))
		}
		Rejection(httptest.NewRecorder(), 1) // has no deadlines
	})
}

// A client earns time by what it sends, and no other way.
func TestBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &writer{ResponseWriter: httptest.NewRecorder()}
		b := NewBody(w, iotest.HalfReader(strings.NewReader(strings.Repeat("x", 48<<10))))
		begun := time.Now()
		p := make([]byte, 32<<10)
		for _, want := range []time.Duration{10 * time.Second, 11 * time.Second, 12 * time.Second} {
			time.Sleep(time.Second)
			if n, err := b.Read(p); n != len(p)/2 || err != nil || w.read.Sub(begun) != want {
				t.Errorf("%d bytes, %v, by %v, not %v", n, err, w.read.Sub(begun), want)
			}
		}
		if _, err := b.Read(p); !errors.Is(err, io.EOF) || !w.read.IsZero() {
			t.Errorf("at the end: %v, deadline %v", err, w.read)
		}
	})
}

// Over each version of HTTP a body that stops is given up at its deadline.
func TestBodyThatStops(t *testing.T) {
	t.Parallel()
	for _, h2 := range []bool{false, true} {
		result := make(chan error, 1)
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b := NewBody(w, r.Body)
			b.start = b.start.Add(-Grace + 100*time.Millisecond)
			_, err := io.ReadAll(b)
			result <- err
		}))
		s.EnableHTTP2 = h2
		s.StartTLS()
		body, end := io.Pipe()
		go func() {
			res, err := s.Client().Post(s.URL, "text/plain", body)
			if err == nil {
				_ = res.Body.Close()
			}
		}()
		_, _ = end.Write([]byte("x"))
		if err := <-result; err == nil {
			t.Errorf("HTTP/2 %t: the body was read to its end", h2)
		}
		_ = end.Close()
		s.CloseClientConnections()
		s.Close()
	}
}
