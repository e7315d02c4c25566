package disk

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// asNobody calls f on a thread that has the rights of another user on files. The thread ends with it.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can act as another user")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked
		const nobody = 65534
		_, _, _ = syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0)
		f()
	}()
	<-done
}

// Without the rights on the folder, its parent or the file, the error names the folder and what the user lacks.
func TestOpenWithoutRights(t *testing.T) {
	t.Parallel()
	foreign, file := t.TempDir(), t.TempDir()
	write(t, file, Options{Hub: "default"}, nothing)
	for _, dir := range []string{foreign, file} {
		open := filepath.Dir(dir) // 0o700 of the test's user
		if err := errors.Join(os.Chmod(open, 0o755), os.Chmod(dir, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	for name, dir := range map[string]string{"folder": foreign, "parent": filepath.Join(foreign, "new"), "file": file} {
		t.Run(name, func(t *testing.T) {
			var err error
			asNobody(t, func() { _, err = Open(Options{Dir: dir, Hub: "default"}) })
			if err == nil || !strings.Contains(err.Error(), "the user that Caddy runs as must be able to read and write "+dir) {
				t.Errorf("%v", err)
			}
		})
	}
}

func nothing(*bbolt.Tx) error { return nil }

// readOnlyDisk is set in the process that has a disk that it can not write to.
const readOnlyDisk = "STORE_TEST_READ_ONLY"

// On a disk that is mounted read-only, the error says so. The test runs again in a namespace.
func TestOpenOnReadOnlyDisk(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv(readOnlyDisk); dir != "" {
		openReadOnly(t, dir)
		return
	}
	againInNamespace(t, readOnlyDisk, "was clear")
}

func openReadOnly(t *testing.T, dir string) {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Fatalf("no mount: %v", err)
	}
	write(t, filepath.Join(dir, "there"), Options{Hub: "default"}, nothing)
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"there", "new"} {
		at := filepath.Join(dir, name)
		_, err := Open(Options{Dir: at, Hub: "default", Wait: time.Second})
		if err == nil || !strings.Contains(err.Error(), at+" is on a disk that is read-only for Caddy") {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Log("was clear")
}
