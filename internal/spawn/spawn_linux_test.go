package spawn

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// parentVariable is set in a process that starts another one and is killed.
const parentVariable = "REALTIME_TEST_PARENT"

const patience = 20 * time.Second

// A process that is killed takes those along that it has started.
func TestStartedEndWithTheirParent(t *testing.T) {
	held, holds, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	parent := exec.Command(os.Args[0], "-test.run=^TestParent$")
	parent.Env = append(os.Environ(), parentVariable+"=1")
	parent.ExtraFiles = []*os.File{holds} // which the processes of the parent inherit
	over, err := Start(parent, syscall.SIGKILL)
	holds.Close()
	if err != nil {
		t.Fatal(err)
	}
	_ = held.SetReadDeadline(time.Now().Add(patience)) // of a pipe
	if line, err := bufio.NewReader(held).ReadString('\n'); err != nil || line != "started\n" {
		t.Fatalf("the parent says %q, %v", line, err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-over
	// The pipe ends when nobody holds its other end any more.
	if _, err := held.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("what the parent has started is still there: %v", err)
	}
}

// TestParent is what the process that is killed runs; by itself it does nothing.
func TestParent(t *testing.T) {
	if os.Getenv(parentVariable) == "" {
		return
	}
	holds := os.NewFile(3, "pipe")
	cmd := exec.Command("sleep", "600")
	cmd.ExtraFiles = []*os.File{holds}
	over, err := Start(cmd, syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(holds, "started")
	<-over
}

// A process stays when the thread is gone on which it was asked for.
func TestStartedOutliveThread(t *testing.T) {
	cmd := exec.Command("cat")
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	var over <-chan struct{}
	thread := make(chan int)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		id := syscall.Gettid()
		var err error
		if over, err = Start(cmd, syscall.SIGKILL); err != nil {
			t.Error(err)
		}
		thread <- id
	}()
	id := <-thread
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", id)); os.IsNotExist(err) {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the thread does not end")
		}
	}
	_, _ = io.WriteString(in, "here\n") // what comes back counts
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "here\n" {
		t.Errorf("the process says %q, %v", line, err)
	}
	in.Close()
	<-over
}
