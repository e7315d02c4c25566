// Package spawn starts processes for tests that end with the test's process, however
// that ends: one that is killed can not clean up, and what it leaves behind takes
// memory and ports from everybody.
package spawn

import (
	"os/exec"
	"runtime"
	"syscall"
)

// Start starts a process, which gets sig when this one is gone. The channel is closed
// when the process is over and cmd.ProcessState is set.
//
// Only Linux sends the signal. It does so when the thread that started the process
// ends, of which Go has many that come and go. So a goroutine keeps that thread for
// itself as long as the process lives.
func Start(cmd *exec.Cmd, sig syscall.Signal) (over <-chan struct{}, err error) {
	started, ended := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		follow(cmd, sig)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // the state tells more than the error
			close(ended)
		}
	}()
	return ended, <-started
}
