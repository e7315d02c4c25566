package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// fileName is the name of the file in the folder of a store.
const fileName = "realtime.db"

// file is the bbolt file of a store. It is opened again after a commit that failed, because the
// file then shows whether the commit took place.
type file struct {
	o    Options
	path string

	mu sync.RWMutex // held shared by transactions, alone to open the file again
	db *bbolt.DB    // nil: the file could not be opened again, or is closed
	is os.FileInfo  // which file db has open
}

// errDamaged is the error of a transaction that found what bbolt never writes.
var errDamaged = errors.New("the file is damaged")

func openFile(o Options) (*file, error) {
	f := &file{o: o, path: filepath.Join(o.Dir, fileName)}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, f.explain(fmt.Errorf("the folder can not be made: %w", err))
	}
	err := errDamaged
	guard.Run(o.Logger, "opening the store", func() { err = f.open() })
	return f, f.explain(err)
}

// quietly is how long open waits for another process before the log says so: an operator should
// not look at a start that does not go on.
const quietly = time.Second

// open opens the file. The caller holds mu, or nobody else has the file yet.
func (f *file) open() error {
	for end := time.Now().Add(f.o.Wait); ; {
		db, opened, err := f.openAt(f.path, min(quietly, time.Until(end)))
		if errors.Is(err, bolterrors.ErrTimeout) && f.o.Wait > quietly {
			f.o.Logger.Warn("another process or another hub has the store open; waiting for its end", "file", f.path, "at_most", time.Until(end))
			db, opened, err = f.openAt(f.path, time.Until(end))
		}
		if err != nil {
			return err
		}
		if is := f.isAt(opened); is != nil {
			f.db, f.is = db, is
			return nil
		}
		// The process that had the file open has replaced it by a smaller one.
		if err := db.Close(); err != nil {
			return err
		}
	}
}

// openAt opens a file at a path, and also returns it as bbolt has opened it.
func (f *file) openAt(path string, wait time.Duration) (db *bbolt.DB, opened *os.File, err error) {
	// A file that was cut short is an error, not the end of the process.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	o := *bbolt.DefaultOptions
	o.Timeout, o.MaxSize, o.FreelistType = max(wait, time.Millisecond), f.o.maxBytes, bbolt.FreelistMapType
	o.ReadOnly, o.PreLoadFreelist = f.o.readOnly, true
	o.OpenFile = func(name string, flag int, mode os.FileMode) (*os.File, error) {
		var err error
		opened, err = os.OpenFile(name, flag, mode)
		return opened, err
	}
	defer func() {
		if db == nil && opened != nil {
			// bbolt has panicked, or closed the file already. Its mapping of the file would keep the lock.
			unlock(opened)
			_ = opened.Close()
		}
	}()
	if db, err = bbolt.Open(path, 0o600, &o); err != nil {
		return nil, opened, err
	}
	if err := whole(db, opened); err != nil {
		return nil, opened, errors.Join(err, db.Close())
	}
	return db, opened, nil
}

// whole returns an error if a file was cut short.
func whole(db *bbolt.DB, opened *os.File) error {
	info, err := opened.Stat()
	if err != nil {
		return err
	}
	return db.View(func(tx *bbolt.Tx) error {
		if tx.Size() > info.Size() {
			return fmt.Errorf("%w: it was cut short, it has %d of %d bytes", errDamaged, info.Size(), tx.Size())
		}
		return nil
	})
}

// isAt returns what an open file is if the path names it, else nil.
func (f *file) isAt(opened *os.File) os.FileInfo {
	here, err := opened.Stat()
	if err != nil {
		return nil
	}
	if there, err := os.Stat(f.path); err != nil || !os.SameFile(here, there) {
		return nil
	}
	return here
}

// inPlace reports whether the path still names the file that is open.
func (f *file) inPlace() bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.db == nil || f.named()
}

// named is inPlace for a caller that holds mu. The file is open.
func (f *file) named() bool {
	there, err := os.Stat(f.path)
	return err == nil && os.SameFile(f.is, there)
}

// explain adds to an error of opening the file what an operator can do.
func (f *file) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf("store: another process or another hub has %s open; a folder is for one hub of one process", f.path)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("store: %s is on a disk that is read-only for Caddy; with systemd, name the folder in ReadWritePaths: %w", f.o.Dir, err)
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("store: %s is no folder, or lies below a file; 'store' takes the folder: %w", f.o.Dir, err)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("store: the user that Caddy runs as must be able to read and write %s: %w", f.o.Dir, err)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum),
		errors.Is(err, bolterrors.ErrVersionMismatch), errors.Is(err, errDamaged):
		return fmt.Errorf("store: %s is damaged or not a store; put a backup in its place, or move it away to start with an empty store: %w", f.path, err)
	}
	return fmt.Errorf("store: opening %s: %w", f.path, err)
}

// view calls do with a transaction that reads.
func (f *file) view(do func(*bbolt.Tx) error) error {
	return f.transaction((*bbolt.DB).View, do)
}

// update calls do with a transaction that writes, and commits it.
func (f *file) update(do func(*bbolt.Tx) error) error {
	return f.transaction((*bbolt.DB).Update, do)
}

func (f *file) transaction(run func(*bbolt.DB, func(*bbolt.Tx) error) error, do func(*bbolt.Tx) error) error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.db == nil {
		return fmt.Errorf("%w: the store is not open", hub.ErrUnavailable)
	}
	err := errDamaged
	guard.Run(f.o.Logger, "a transaction of the store", func() {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		err = run(f.db, do)
	})
	return err
}

// reopen opens the file again and returns the number of its latest transaction.
func (f *file) reopen() (latest int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.db != nil {
		_ = f.db.Close() // the commit before has failed already
		f.db = nil
	}
	err = errDamaged
	guard.Run(f.o.Logger, "opening the store", func() {
		if err = f.open(); err == nil {
			err = f.db.View(func(tx *bbolt.Tx) error {
				latest = tx.ID()
				return nil
			})
		}
	})
	return latest, err
}

// isOpen reports whether the file is open.
func (f *file) isOpen() bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.db != nil
}

func (f *file) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.db == nil {
		return nil
	}
	err := f.db.Close()
	f.db = nil
	return err
}
