package disk

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
)

// brittle is an operation that panics.
type brittle struct {
	barrier
	inWrite, inFinish bool
	err               error
}

func (o *brittle) write(*work) error {
	if o.inWrite {
		panic("write")
	}
	return nil
}

func (o *brittle) finish(err error) {
	if o.err = err; o.inFinish {
		panic("finish")
	}
}

func TestPanicInATransaction(t *testing.T) {
	log := panictest.Default(t)
	s, b := open(t, Options{Dir: t.TempDir()})
	o := &brittle{inWrite: true}
	if err := s.do(t.Context(), o); err != nil || !errors.Is(o.err, hub.ErrUnavailable) {
		t.Errorf("%v, %v", err, o.err)
	}
	log.Once(t, "a transaction of the store", "write")
	publish(t, b, "room", `"x"`, "", hundred)
}

func TestPanicInTheEndOfAChange(t *testing.T) {
	log := panictest.Default(t)
	s, b := open(t, Options{Dir: t.TempDir()})
	if err := s.do(t.Context(), &brittle{inFinish: true}); err != nil {
		t.Error(err)
	}
	log.Once(t, "the end of a change in the store", "finish")
	publish(t, b, "room", `"x"`, "", hundred)
}

func TestPanicInTheWriter(t *testing.T) {
	log := panictest.Default(t)
	s, b := open(t, Options{Dir: t.TempDir()})
	file := s.file
	s.file = nil
	o := new(brittle)
	if err := s.do(t.Context(), o); err != nil || !errors.Is(o.err, hub.ErrUnavailable) {
		t.Errorf("%v, %v", err, o.err)
	}
	s.file = file
	publish(t, b, "room", `"x"`, "", hundred)
	log.Once(t, "the writer of the store", "runtime error: invalid memory address or nil pointer dereference")
}

// A file whose list of free pages is torn does not end the process.
func TestPanicWhileOpening(t *testing.T) {
	log := panictest.Default(t)
	dir := t.TempDir()
	s, b := open(t, Options{Dir: dir})
	publish(t, b, "room", `"x"`, "", hundred)
	size := os.Getpagesize()
	shut(t, s, b)
	path := filepath.Join(dir, fileName)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 2 * size; i < len(text); i++ {
		text[i] = 0xaa
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Dir: dir, Hub: "default"}); err == nil || !strings.Contains(err.Error(), "is damaged") {
		t.Errorf("opening a damaged file: %v", err)
	}
	if len(log.Panics(t, "opening the store")) == 0 {
		t.Error("there was no panic")
	}
}
