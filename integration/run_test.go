//go:build unix

package integration

import (
	"bufio"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/freeport"
	"github.com/caddy-realtime/caddy-realtime/internal/spawn"
)

// running is an example that tools/run has started, until the end of the test.
type running struct {
	cmd   *exec.Cmd
	over  <-chan struct{}
	lines *bufio.Reader // what it prints
}

// runExample starts an example at a port.
func runExample(t *testing.T, name, port string, env ...string) *running {
	t.Helper()
	cmd := exec.Command(filepath.Join(root(), "tools", "run"), name)
	cmd.Env = append(os.Environ(), append(env, "CADDY="+build(t), "PORT="+port)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close() })
	if err := out.SetReadDeadline(time.Now().Add(startLimit)); err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = in
	over, err := spawn.Start(cmd, syscall.SIGTERM)
	if err != nil {
		t.Fatal(err)
	}
	in.Close()
	r := &running{cmd, over, bufio.NewReader(out)}
	t.Cleanup(func() {
		r.interrupt()
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // whoever is left
	})
	return r
}

// line returns what the example prints next, which must have a text in it.
func (r *running) line(t *testing.T, want string) string {
	t.Helper()
	line, err := r.lines.ReadString('\n')
	if err != nil || !strings.Contains(line, want) {
		t.Fatalf("instead of %q it says %q, %v", want, line, err)
	}
	return line
}

// interrupt is Ctrl-C in a terminal.
func (r *running) interrupt() {
	_ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGINT)
	<-r.over
}

// `make run` says which address to open when the example is there, and Ctrl-C ends it.
func TestRunSaysTheAddress(t *testing.T) {
	t.Parallel()
	port := port(t)
	r := runExample(t, "form", port)
	r.line(t, "Open http://localhost:"+port+" ")
	if _, page := get(t, "http://localhost:"+port+"/"); !strings.Contains(page, "Plan a party") {
		t.Errorf("the page is %q", page)
	}
	r.interrupt()
	if res, err := http.Get("http://localhost:" + port + "/"); err == nil {
		_ = res.Body.Close()
		t.Error("the example is still there")
	}
}

// The command that an example prints works as it is, in any folder, while all the others run. Nothing
// of the admin endpoint is left behind.
func TestRunSaysACommand(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(root(), "examples", "*", "Caddyfile"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	var all []*running
	commands := make(map[string]string)
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file))
		if _, err := exec.LookPath("php"); err != nil && name == "laravel-echo" {
			continue
		}
		r := runExample(t, name, port(t), "APP=127.0.0.1:"+port(t), "PACKAGES="+t.TempDir(), "CADDY_ADMIN=localhost:1")
		r.line(t, "Open ")
		_, command, _ := strings.Cut(r.line(t, "in a second terminal: "), "terminal: ")
		all, commands[name] = append(all, r), command
	}
	for name, command := range commands {
		cmd := exec.Command("bash", "-c", command)
		cmd.Dir = t.TempDir()
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "CONNECTIONS") {
			t.Errorf("%s: %s ends with %v:\n%s", name, command, err, out)
		}
	}
	for _, r := range all {
		r.interrupt()
	}
	for name, command := range commands {
		_, socket, _ := strings.Cut(command, "--address unix/")
		if _, err := os.Stat(filepath.Dir(strings.TrimSpace(socket))); !os.IsNotExist(err) {
			t.Errorf("%s has left %s: %v", name, socket, err)
		}
	}
}

// The script says what it lacks, before it starts anything.
func TestRunSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct{ example, caddy string }{
		"there is no example 'nothing'; there are: call chat dashboard form laravel-echo socketio todo": {"nothing", "/bin/sh"},
		"make build":      {"chat", "/nowhere/caddy"},
		"Caddy has ended": {"chat", "/bin/false"},
	} {
		cmd := exec.Command(filepath.Join(root(), "tools", "run"), c.example)
		cmd.Env = append(os.Environ(), "CADDY="+c.caddy, "PORT="+port(t))
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("instead of %q: %v, %s", want, err, out)
		}
	}
}

// An example with an app does not start without it: its page would open, and do nothing.
func TestRunSaysWhatTheAppLacks(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct {
		example, app, want string
		tools              []string // beside those of every script
	}{
		{"laravel-echo", "127.0.0.1:1", "php is missing", nil},
		{"laravel-echo", taken.Addr().String(), taken.Addr().String() + " is in use", []string{"true php"}},
		{"dashboard", "", "curl is missing", nil},
	} {
		// PACKAGES stands for what npm would fetch. The Caddy would end with another message.
		cmd := exec.Command(filepath.Join(root(), "tools", "run"), c.example)
		cmd.Env = []string{"PATH=" + toolbox(t, c.tools...), "CADDY=/bin/false", "PACKAGES=/nowhere", "APP=" + c.app, "PORT=" + port(t)}
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), c.want) || strings.Contains(string(out), "Caddy has ended") {
			t.Errorf("instead of %q: %v, %s", c.want, err, out)
		}
	}
}

// toolbox returns a folder with what the scripts need, and with others: "program name" puts a program there
// under another name.
func toolbox(t *testing.T, others ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, tool := range append([]string{"bash", "dirname", "grep", "mktemp", "rm", "sleep"}, others...) {
		program, name, renamed := strings.Cut(tool, " ")
		if !renamed {
			name = program
		}
		path, err := exec.LookPath(program)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A machine without Go gets a word about it, and not one of the shell.
func TestRunSaysThatGoIsMissing(t *testing.T) {
	t.Parallel()
	makePath, err := exec.LookPath("make")
	if err != nil {
		t.Skip("make is not installed")
	}
	tools := t.TempDir()
	for _, name := range []string{"bash", "sh"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(tools, name)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(makePath, "run", "SHELL="+filepath.Join(tools, "bash"))
	cmd.Dir, cmd.Env = root(), []string{"PATH=" + tools}
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "go is missing") {
		t.Errorf("%v, %s", err, out)
	}
}

func port(t *testing.T) string {
	t.Helper()
	addr := freeport.Addr(t)
	return addr[strings.LastIndexByte(addr, ':')+1:]
}
