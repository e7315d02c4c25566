//go:build unix

package proc

import (
	"os/exec"
	"syscall"
)

// Collect is the signal that makes a server of this package collect its garbage.
const Collect = syscall.SIGUSR1

// ownGroup makes a process a group of its own. A terminal sends Ctrl-C to its whole process group;
// the servers are ended by Stop alone, in order.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
