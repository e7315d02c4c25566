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
	far       string // address of the far end
	spare     string // another address of this host, which is not in use before blackhole
}

// newCable needs root and iproute2; the error says that there can be no namespace
// here. The addresses are of those that are set aside for tests of networks (RFC
// 2544), four for each process.
func newCable(t *testing.T) (*cable, error) {
	t.Helper()
	pid := os.Getpid()
	address := func(n int) string { return fmt.Sprintf("198.18.%d.%d", pid>>6&0xFF, pid<<2&0xFC+n) }
	c := &cable{
		t: t, host: address(1), far: address(2), spare: strings.Replace(address(1), "198.18", "198.19", 1), namespace: fmt.Sprintf("drill-%d", pid),
		socket: fmt.Sprintf("drs%d", pid), plug: fmt.Sprintf("drc%d", pid),
	}
	if out, err := exec.Command("ip", "netns", "add", c.namespace).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("ip netns add: %w: %s", err, out)
	}
	t.Cleanup(c.remove)
	c.ip("link", "add", c.socket, "type", "veth", "peer", "name", c.plug, "netns", c.namespace)
	c.ip("address", "add", c.host+"/30", "dev", c.socket)
	c.ip("link", "set", c.socket, "up")
	c.ip("-n", c.namespace, "address", "add", c.far+"/30", "dev", c.plug)
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

// blackhole has everything vanish that the far end sends into the connections there
// are now, while new ones go well: they come from another address.
func (c *cable) blackhole() {
	c.t.Helper()
	c.ip("address", "add", c.spare+"/32", "dev", c.socket)
	c.ip("-n", c.namespace, "route", "add", c.spare+"/32", "dev", c.plug)
	c.ip("-n", c.namespace, "route", "add", "blackhole", c.host+"/32")
	c.ip("route", "replace", c.far+"/32", "dev", c.socket, "src", c.spare)
}

// mend takes the far end up again after cut.
func (c *cable) mend() {
	c.t.Helper()
	c.ip("-n", c.namespace, "link", "set", c.plug, "up")
	c.ip("-n", c.namespace, "route", "replace", c.spare+"/32", "dev", c.plug)
}

// listen listens at the far end.
func (c *cable) listen() (l net.Listener, err error) {
	err = c.inside(func() (err error) {
		l, err = net.Listen("tcp", c.far+":0")
		return err
	})
	return l, err
}

// dial connects from the far end to a port of this host, whatever name of it the
// address has. The connection ends with the test at the latest: over a cable that is cut,
// the end of the server does not end it. A transport of HTTP/2 closes it only once it has
// forgotten all streams, and it forgets them in a goroutine of its own.
func (c *cable) dial(_ context.Context, network, addr string) (net.Conn, error) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	var conn net.Conn
	err = c.inside(func() (err error) {
		conn, err = net.DialTimeout(network, net.JoinHostPort(c.host, port), patience)
		return err
	})
	if err == nil {
		c.t.Cleanup(func() { _ = conn.Close() })
	}
	return conn, err
}

// inside runs f in the namespace. The thread stays there, and ends with the goroutine
// because it is not unlocked.
func (c *cable) inside(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := c.enter()
		if err == nil {
			err = f()
		}
		done <- err
	}()
	return <-done
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
