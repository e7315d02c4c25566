//go:build unix

package integration

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/internal/freeport"
	"github.com/caddy-realtime/caddy-realtime/internal/spawn"
)

// `make run` says which address to open when the example is there, and Ctrl-C ends it.
func TestRunSaysTheAddress(t *testing.T) {
	t.Parallel()
	port := port(t)
	cmd := exec.Command(filepath.Join(root(), "tools", "run"), "form")
	cmd.Env = append(os.Environ(), "CADDY="+build(t), "PORT="+port)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout = in
	over, err := spawn.Start(cmd, syscall.SIGTERM)
	if err != nil {
		t.Fatal(err)
	}
	in.Close()
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }) // whoever is left
	line, err := bufio.NewReader(out).ReadString('\n')
	if url := "http://localhost:" + port; err != nil || !strings.Contains(line, "Open "+url+" ") {
		t.Fatalf("it says %q, %v", line, err)
	}
	if _, page := get(t, "http://localhost:"+port+"/"); !strings.Contains(page, "Plan a party") {
		t.Errorf("the page is %q", page)
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) // what a terminal does
	<-over
	if res, err := http.Get("http://localhost:" + port + "/"); err == nil {
		_ = res.Body.Close()
		t.Error("the example is still there")
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
