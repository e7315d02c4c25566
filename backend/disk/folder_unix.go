//go:build linux || darwin

package disk

import (
	"errors"
	"os"
	"syscall"
)

// canReplace says that an open file can be replaced by another one.
const canReplace = true

// syncFolder makes the names of the files of a folder durable.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// unlock ends the lock of an open file.
func unlock(f *os.File) {
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) // fails if the file is closed
}

// space returns how many bytes the disk has left for files in a folder.
func space(dir string) (bytes int64, ok bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}

// keepOwner gives a copy the owner of a file: root may compact a file that is another user's.
func keepOwner(path, copied string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(s.Uid) == os.Geteuid() && int(s.Gid) == os.Getegid() {
		return nil
	}
	return os.Chown(copied, int(s.Uid), int(s.Gid))
}
