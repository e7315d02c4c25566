package proc

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/spawn"
)

// patience is how long a server may take to listen, and to end.
const patience = 10 * time.Second

// Child is a server that was started. It ends with this process, however that ends.
type Child struct {
	cmd  *exec.Cmd
	over <-chan struct{}
	said output
}

// Start starts a server and waits until it listens at addr.
func Start(ctx context.Context, addr string, cmd *exec.Cmd) (*Child, error) {
	c := &Child{cmd: cmd}
	cmd.Stdout, cmd.Stderr = &c.said, &c.said
	ownGroup(cmd)
	var err error
	if c.over, err = spawn.Start(cmd, syscall.SIGTERM); err != nil {
		return nil, err
	}
	if err := c.await(ctx, addr); err != nil {
		c.Stop()
		return nil, fmt.Errorf("%s: %w\n%s", cmd.Path, err, c.said.take())
	}
	return c, nil
}

func (c *Child) await(ctx context.Context, addr string) error {
	for end := time.Now().Add(patience); time.Now().Before(end); {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-c.over:
			return fmt.Errorf("it ended: %v", c.cmd.ProcessState)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("it does not listen at %s", addr)
}

// PID returns the process.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Signal sends a signal to the process.
func (c *Child) Signal(s syscall.Signal) error { return c.cmd.Process.Signal(s) }

// Stop ends the process and waits for it. A process that does not end is killed.
func (c *Child) Stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.over:
	case <-time.After(patience):
		_ = c.cmd.Process.Kill()
		<-c.over
	}
}

// output keeps the beginning of what a server writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.text.Len() < 16<<10 {
		o.text.Write(p)
	}
	return len(p), nil
}

func (o *output) take() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
