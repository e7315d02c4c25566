package disk

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// offlineWait is how long a command waits for a process that has the store open.
const offlineWait = 500 * time.Millisecond

// Progress is called now and then with how many bytes of records are done, and how many there are
// at most. It may be nil.
type Progress func(done, total int64)

func (p Progress) show(done, total int64) {
	if p != nil {
		p(done, total)
	}
}

// openOffline opens a store that has to exist and that no process has open. It returns an error
// that an operator understands. dir is the folder of the store, or its file.
func openOffline(dir string, readOnly bool) (*file, error) {
	f := &file{o: Options{Dir: dir, Wait: offlineWait, readOnly: readOnly, Logger: slog.New(slog.DiscardHandler)}, path: dir}
	info, err := os.Stat(dir)
	if err == nil && info.IsDir() {
		f.path = filepath.Join(dir, fileName)
		info, err = os.Stat(f.path)
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("there is no store at %s", dir)
	case err != nil:
		return nil, err
	case info.Mode().IsRegular() && info.Size() == 0:
		return nil, fmt.Errorf("%s is empty: there is no store in it; put a backup in its place", f.path)
	}
	err = errDamaged
	guard.Run(f.o.Logger, "opening the store", func() { err = f.open() })
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("a running Caddy has %s open; stop it first, or use a backup", f.path)
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("%s can not be opened; run the command as the user that Caddy runs as: %w", f.path, err)
	case err != nil:
		return nil, f.explain(err)
	}
	return f, nil
}

// Compact rewrites a store that no process has open, so that the file has no free space. It
// returns how many bytes the file had and has.
func Compact(dir string, progress Progress) (before, after int64, err error) {
	f, err := openOffline(dir, false)
	if err != nil {
		return 0, 0, err
	}
	before, free := f.sizes()
	c, err := newCopying(f)
	if err == nil {
		err = c.all(func() error {
			progress.show(c.done, before-free)
			return nil
		})
	}
	if err == nil {
		err = c.again(nil) // the sequences
	}
	if err == nil && canReplace {
		err = f.replace(c)
	} else if err == nil {
		err = errors.Join(c.to.Close(), f.close(), os.Rename(c.path, f.path), f.open())
		c.to = nil
	}
	if err != nil {
		if c != nil && c.to != nil {
			c.discard()
		}
		return 0, 0, errors.Join(fmt.Errorf("%s stays as it is: %w", f.path, err), f.close())
	}
	after, _ = f.sizes()
	return before, cmp.Or(after, before), f.close()
}
