package drills

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// cable is a network of two: this host, and a network namespace at the other end of
// a pair of virtual interfaces. It is gone after the test, whatever comes of it.
type cable struct {
	t         *testing.T
	namespace string
	socket    string // the interface of this host
	plug      string // the interface in the namespace
	host      string // address of this host
}

// newCable needs root and iproute2; the error says that there can be no namespace
// here. The addresses are of those that are set aside for tests of networks (RFC
// 2544), four for each process.
func newCable(t *testing.T) (*cable, error) {
	t.Helper()
	pid := os.Getpid()
	address := func(n int) string { return fmt.Sprintf("198.18.%d.%d", pid>>6&0xFF, pid<<2&0xFC+n) }
	c := &cable{
		t: t, host: address(1), namespace: fmt.Sprintf("drill-%d", pid),
		socket: fmt.Sprintf("drs%d", pid), plug: fmt.Sprintf("drc%d", pid),
	}
	if out, err := exec.Command("ip", "netns", "add", c.namespace).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("ip netns add: %w: %s", err, out)
	}
	t.Cleanup(c.remove)
	c.ip("link", "add", c.socket, "type", "veth", "peer", "name", c.plug, "netns", c.namespace)
	c.ip("address", "add", c.host+"/30", "dev", c.socket)
	c.ip("link", "set", c.socket, "up")
	c.ip("-n", c.namespace, "address", "add", address(2)+"/30", "dev", c.plug)
	c.ip("-n", c.namespace, "link", "set", c.plug, "up")
	return c, nil
}

// remove also removes the interface, because the namespace lives on as long as it
// has sockets that say goodbye. What was not made is not there to be removed.
func (c *cable) remove() {
	_ = exec.Command("ip", "link", "delete", c.socket).Run()
	_ = exec.Command("ip", "netns", "delete", c.namespace).Run()
	if _, err := os.Stat("/run/netns/" + c.namespace); err == nil {
		c.t.Errorf("the network namespace %s is left over", c.namespace)
	}
}

func (c *cable) ip(args ...string) {
	c.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		c.t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// cut takes the far end down. Nothing that is sent to it arrives any more, and
// nobody says so.
func (c *cable) cut() {
	c.t.Helper()
	c.ip("-n", c.namespace, "link", "set", c.plug, "down")
}

// dial connects from the far end to a port of this host, whatever name of it the
// address has.
func (c *cable) dial(_ context.Context, network, addr string) (net.Conn, error) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result)
	go func() {
		// The thread stays in the namespace, and ends with the goroutine because it
		// is not unlocked.
		runtime.LockOSThread()
		r := result{err: c.enter()}
		if r.err == nil {
			r.conn, r.err = net.DialTimeout(network, net.JoinHostPort(c.host, port), patience)
		}
		done <- r
	}()
	r := <-done
	return r.conn, r.err
}

// enter moves this thread into the namespace.
func (c *cable) enter() error {
	f, err := os.Open("/run/netns/" + c.namespace)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Setns(int(f.Fd()), unix.CLONE_NEWNET)
}
