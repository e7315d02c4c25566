//go:build unix

package drills

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/internal/spawn"
)

// clientProcess is clients in a process of their own, which runs the test that starts it once
// more, with another environment.
type clientProcess struct {
	t     *testing.T
	cmd   *exec.Cmd
	over  <-chan struct{}
	input *os.File
	lines *bufio.Scanner
	all   strings.Builder // what it has said
}

// startClients starts the test again, with a variable of the form KEY=value. The arguments that
// may follow are a program that runs another one, such as nice.
func startClients(t *testing.T, variable string, through ...string) *clientProcess {
	t.Helper()
	args := append(through, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	c := &clientProcess{t: t, cmd: exec.Command(args[0], args[1:]...)}
	c.cmd.Env = append(os.Environ(), variable, "REALTIME_DRILLS_TABLE=")
	input, keeps := pipe(t)
	output, says := pipe(t)
	c.input, c.lines = keeps, bufio.NewScanner(output)
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = input, says, says
	var err error
	if c.over, err = spawn.Start(c.cmd, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_, _ = input.Close(), says.Close()
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill() // an error means that it is over
		<-c.over
	})
	return c
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	return r, w
}

func (c *clientProcess) signal(sig syscall.Signal) {
	c.t.Helper()
	if err := c.cmd.Process.Signal(sig); err != nil {
		c.t.Fatal(err)
	}
}

// say writes a line to the process.
func (c *clientProcess) say(line string) {
	c.t.Helper()
	if _, err := fmt.Fprintln(c.input, line); err != nil {
		c.t.Fatal(err)
	}
}

// want reads until the process says a line.
func (c *clientProcess) want(line string) {
	c.t.Helper()
	for c.lines.Scan() {
		if c.lines.Text() == line {
			return
		}
		c.all.WriteString(c.lines.Text() + "\n")
	}
	c.t.Fatalf("the clients did not say %q:\n%s", line, &c.all)
}

// finish ends the input of the clients, and returns what they say came of it.
func (c *clientProcess) finish() (came string) {
	c.t.Helper()
	_ = c.input.Close()
	for c.lines.Scan() {
		c.all.WriteString(c.lines.Text() + "\n")
		if _, text, ok := strings.Cut(c.lines.Text(), "came of it: "); ok {
			came = text
		}
	}
	if <-c.over; !c.cmd.ProcessState.Success() || came == "" {
		c.t.Errorf("the clients in another process:\n%s", &c.all)
	}
	return came
}
