package spawn

import (
	"os/exec"
	"syscall"
)

// follow has the kernel send sig when the thread ends that starts the process.
func follow(cmd *exec.Cmd, sig syscall.Signal) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Pdeathsig = sig
}
