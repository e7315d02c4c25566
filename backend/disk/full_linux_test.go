package disk

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// inNamespace is set in the process that has a disk of its own.
const inNamespace = "STORE_TEST_DISK"

// On a disk that is really full, publishes are rejected and nothing that was acknowledged is lost. The store
// goes on by itself when there is room. The test runs again in a namespace with a disk of 4 MiB.
func TestDiskReallyFull(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv(inNamespace); dir != "" {
		onSmallDisk(t, dir)
		return
	}
	againInNamespace(t, inNamespace, "went on")
}

// againInNamespace runs a test again in a process that can mount disks, with a folder for one in a
// variable. The process prints a text if all went well.
func againInNamespace(t *testing.T, variable, text string) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	c.Env = append(os.Environ(), variable+"="+t.TempDir())
	c.SysProcAttr = ownDisks()
	out, err := c.CombinedOutput()
	switch {
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.ENOSPC), strings.Contains(string(out), "no mount:"):
		t.Skipf("this machine allows no disk in a namespace: %v %s", err, out)
	case err != nil || !strings.Contains(string(out), text):
		t.Errorf("%v\n%s", err, out)
	}
}

// ownDisks puts a process into a namespace in which it can mount disks.
func ownDisks() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
}

func onSmallDisk(t *testing.T, dir string) {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Fatalf("no mount: %v", err)
	}
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 3<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	o := Options{Dir: dir}
	s, b := open(t, o)
	keep := hub.Retention{Size: 10_000}
	large := `"` + strings.Repeat("x", 20_000) + `"`
	last, err := hub.Published{}, error(nil)
	for n := 0; err == nil && n < 1000; n++ {
		var p hub.Published
		if p, err = b.Publish(t.Context(), message("room", large), hub.PublishOptions{Retention: keep}); err == nil {
			last = p
		}
	}
	if !errors.Is(err, hub.ErrUnavailable) || last.Position.Offset == 0 {
		t.Fatalf("after %v: %v", last.Position, err)
	}
	for range 20 {
		if _, err := b.Publish(t.Context(), message("room", large), hub.PublishOptions{Retention: keep}); err == nil {
			t.Error("a publish on a full disk is acknowledged")
		}
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	next := publish(t, b, "room", large, "", keep)
	if next.Position.Offset != last.Position.Offset+1 || next.Position.Epoch != last.Position.Epoch {
		t.Errorf("the next message is at %v, after %v", next.Position, last.Position)
	}
	shut(t, s, b)
	_, b = open(t, o)
	if p, err := b.History(t.Context(), "room", keep, hub.HistoryQuery{Limit: 10_000}); err != nil || uint64(len(p.Messages)) != next.Position.Offset {
		t.Errorf("%d messages of %d, %v", len(p.Messages), next.Position.Offset, err)
	}
	t.Log("went on")
}
