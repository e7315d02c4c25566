// Package spawn starts processes for tests. They end with the process of the test, however
// that ends: a killed test can not clean up, and processes that it leaves behind take
// memory and ports.
package spawn

import (
	"os/exec"
	"runtime"
	"syscall"
)

// Start starts a process, which gets sig when this process ends. The channel is closed when
// the started process is over and cmd.ProcessState is set.
//
// Only Linux sends the signal. It does so when the thread that started the process ends,
// and Go ends threads at any time. So a goroutine keeps that thread for itself as long as
// the process lives.
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
