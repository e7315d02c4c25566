package spawn

import (
	"os/exec"
	"syscall"
)

// follow makes the kernel send sig when the thread that starts the process ends.
func follow(cmd *exec.Cmd, sig syscall.Signal) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Pdeathsig = sig
}
