package integration

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/spawn"
)

// Process is a Caddy in a process of its own, the one that cmd/caddy makes. It is
// for tests that kill Caddy or look at its exit, which a [Caddy] in the test's
// process cannot take, and for those that need another environment.
type Process struct {
	t      testing.TB
	caddy  *Caddy // for the addresses; never loaded
	binary string
	config string // file
	env    []string

	cmd    *exec.Cmd
	log    *logBuffer
	exited <-chan struct{} // closed when cmd is over
}

// StartProcess is [Start] for a process of its own. The environment has nothing of
// the test's but PATH and what env adds, in the form KEY=value.
func StartProcess(t testing.TB, caddyfile string, env ...string) *Process {
	t.Helper()
	return StartProgram(t, build(t), caddyfile, env...)
}

// StartProgram is [StartProcess] for a Caddy that was built in another way.
func StartProgram(t testing.TB, program, caddyfile string, env ...string) *Process {
	t.Helper()
	p := newProcess(t, program, caddyfile, env...)
	p.Start()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("the log of Caddy's process:\n%s", p.log.take())
		}
	})
	return p
}

// newProcess prepares a process and does not start it.
func newProcess(t testing.TB, program, caddyfile string, env ...string) *Process {
	t.Helper()
	dir := t.TempDir()
	p := &Process{
		t:      t,
		caddy:  &Caddy{t: t, store: filepath.Join(dir, "store"), addrs: make(map[string]string)},
		binary: program,
		config: filepath.Join(dir, "caddy.json"),
		env:    append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}, env...),
	}
	p.write(caddyfile)
	return p
}

// write makes the configuration file of a Caddyfile.
func (p *Process) write(caddyfile string) {
	p.t.Helper()
	adapted, err := p.caddy.adapt(caddyfile)
	if err != nil {
		p.t.Fatal(err)
	}
	var config map[string]any
	if err := json.Unmarshal(adapted, &config); err != nil {
		p.t.Fatal(err)
	}
	child(config, "logging", "logs", "default")["writer"] = map[string]any{"output": "stderr"}
	if adapted, err = json.Marshal(config); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(p.config, adapted, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// Start starts the process again, after [Process.Kill] or [Process.Terminate], and
// waits until it serves. The addresses and the certificates stay the same; the log
// begins anew.
func (p *Process) Start() {
	p.t.Helper()
	p.launch()
	if _, ok := p.log.wait("serving initial configuration", startLimit); !ok {
		p.t.Fatalf("Caddy does not serve:\n%s", p.log.take())
	}
}

// launch is Start without the wait, for a process that may not come to serve.
func (p *Process) launch() {
	p.t.Helper()
	p.log = &logBuffer{grown: make(chan struct{})}
	p.cmd = exec.Command(p.binary, "run", "--config", p.config)
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = p.env, p.log, p.log
	var err error
	if p.exited, err = spawn.Start(p.cmd, syscall.SIGKILL); err != nil {
		p.t.Fatal(err)
	}
}

// startLimit leaves time for making certificates on a busy machine.
const startLimit = 30 * time.Second

// exitLimit leaves time for sending many clients away. Operators are told to give a node
// 20 seconds.
const exitLimit = 15 * time.Second

// Reload loads another Caddyfile over the admin endpoint, whose address is {{admin}}.
func (p *Process) Reload(caddyfile string) {
	p.t.Helper()
	p.write(caddyfile)
	text, err := os.ReadFile(p.config)
	if err != nil {
		p.t.Fatal(err)
	}
	res, err := http.Post("http://"+p.Addr("admin")+"/load", "application/json", bytes.NewReader(text))
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(res.Body)
		p.t.Fatalf("the configuration is not loaded: %s %s", res.Status, said)
	}
}

// Kill ends the process at once, as a crash would, and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // an error means that it is over
	<-p.exited
}

// Pause stops the process in its tracks (SIGSTOP) until [Process.Resume]. It keeps its
// sockets and does not know.
func (p *Process) Pause() { p.signal(syscall.SIGSTOP) }

// Resume lets a paused process go on.
func (p *Process) Resume() { p.signal(syscall.SIGCONT) }

func (p *Process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// Terminate asks the process to exit, as a service manager would (SIGTERM). It
// returns at once.
func (p *Process) Terminate() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
}

// WaitExit waits until the process is over and returns its exit code. When it does not
// exit the test fails.
func (p *Process) WaitExit() int {
	p.t.Helper()
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(exitLimit):
		p.t.Fatalf("Caddy has not exited after %v", exitLimit)
		return 0
	}
}

// Running reports whether the process is not over.
func (p *Process) Running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// PID is the id of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Addr is [Caddy.Addr].
func (p *Process) Addr(word string) string {
	p.t.Helper()
	return p.caddy.Addr(word)
}

// WaitLog is [Caddy.WaitLog], since the last start.
func (p *Process) WaitLog(text string) string {
	p.t.Helper()
	line, ok := p.log.wait(text, 10*time.Second)
	if !ok {
		p.t.Fatalf("nothing like %q was logged", text)
	}
	return line
}

// readyProgram names a Caddy that `make test` has built for the tests of all packages. Without
// it each package builds its own.
const readyProgram = "REALTIME_TEST_CADDY"

// built is the program of the processes, made by the first test that needs it.
var built struct {
	sync.Mutex
	dir string
}

// Program builds the Caddy of cmd/caddy, unless a test has done so, and returns its path.
func Program(t testing.TB) string {
	t.Helper()
	return build(t)
}

// build makes the program, with the race detector if the test has it. Then its
// packages are those that were compiled for the tests of this module.
func build(t testing.TB) string {
	t.Helper()
	if ready := os.Getenv(readyProgram); ready != "" {
		checkReady(t, ready)
		return ready
	}
	built.Lock()
	defer built.Unlock()
	name := filepath.Join(built.dir, "caddy")
	if built.dir != "" {
		return name
	}
	dir, err := os.MkdirTemp("", "caddy-realtime-test-")
	if err != nil {
		t.Fatal(err)
	}
	built.dir = dir
	name = filepath.Join(dir, "caddy")
	args := []string{"build", "-o", name}
	if RaceEnabled() {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "./cmd/caddy")...)
	cmd.Dir = root()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building Caddy: %v\n%s", err, out)
	}
	return name
}

// checkReady fails if a program that others have built has not the race detector of the test.
func checkReady(t testing.TB, program string) {
	t.Helper()
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		t.Fatalf("%s: %v", readyProgram, err)
	}
	if hasRace(info) != RaceEnabled() {
		t.Fatalf("%s: %s has the race detector: %t, and the test: %t", readyProgram, program, hasRace(info), RaceEnabled())
	}
}

// root is the folder of the module, for tests of other modules as well.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(file))
}

// RaceEnabled reports whether the tests, and so the processes they start, have the
// race detector.
func RaceEnabled() bool {
	info, _ := debug.ReadBuildInfo()
	return hasRace(info)
}

func hasRace(info *debug.BuildInfo) bool {
	return slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// RemoveProgram removes the program of the processes. A TestMain calls it after the
// last test.
func RemoveProgram() {
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
}
