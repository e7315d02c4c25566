package disk

import (
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"
)

// logged passes what a logger writes to a test.
type logged chan string

func (l logged) Write(b []byte) (int, error) {
	select {
	case l <- string(b):
	default:
	}
	return len(b), nil
}

// An operator who removes the folder of a store in use, or puts another file there, learns it from the log.
// The other file is not replaced by a compaction.
func TestRemovedWhileInUse(t *testing.T) {
	t.Parallel()
	lines := make(logged, 100)
	s, b := open(t, Options{Dir: t.TempDir(), sweep: 10 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(lines, nil))})
	publish(t, b, "room", `"x"`, "", hundred)
	if !s.file.inPlace() {
		t.Fatal("the file is not in its place")
	}
	other := t.TempDir() + "/other"
	if err := os.WriteFile(other, []byte("a backup"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other, s.file.path); err != nil {
		t.Fatal(err)
	}
	for deadline := time.After(10 * time.Second); ; {
		select {
		case line := <-lines:
			if !strings.Contains(line, "was removed or replaced while Caddy works") {
				continue
			}
		case <-deadline:
			t.Fatal("the log says nothing")
		}
		break
	}
	publish(t, b, "room", `"y"`, "", hundred)
	c, err := newCopying(s.file)
	if err != nil {
		t.Fatal(err)
	}
	defer c.discard()
	if err := errors.Join(c.all(func() error { return nil }), c.again(nil)); err != nil {
		t.Fatal(err)
	}
	if err := s.file.replace(c); err == nil {
		t.Error("the compaction replaces the other file")
	}
	if now, err := os.ReadFile(s.file.path); err != nil || string(now) != "a backup" {
		t.Errorf("the other file is %q, %v", now, err)
	}
}
