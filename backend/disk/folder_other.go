//go:build !linux && !darwin

package disk

import "os"

// canReplace says that an open file can be replaced by another one. Windows can not.
const canReplace = false

func syncFolder(string) error { return nil }

func unlock(*os.File) {}

func space(string) (bytes int64, ok bool) { return 0, false }

func keepOwner(string, string) error { return nil }
