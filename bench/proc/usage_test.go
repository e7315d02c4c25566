//go:build linux

package proc

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestParseStat(t *testing.T) {
	t.Parallel()
	const line = "4711 (a (b) c) S 17 4711 4711 0 -1 4194560 1 2 3 4 50 7 1 2 20 0 5 0 100 1 1\n"
	got, err := parseStat(line)
	if want := (stat{4711, 17, 600 * time.Millisecond}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []string{"", "4711 sh S 17", "4711 (sh) S 17 1", "x (sh) S 17 4711 4711 0 -1 4194560 1 2 3 4 50 7 1 2",
		"4711 (sh) S 17 4711 4711 0 -1 4194560 1 2 3 4 x 7 1 2"} {
		if _, err := parseStat(bad); err == nil {
			t.Errorf("%q is fine", bad)
		}
	}
}

func TestParsePSS(t *testing.T) {
	t.Parallel()
	if got, err := parsePSS("0000-ffff ---p 00000000 00:00 0 [rollup]\nRss: 300 kB\nPss:  200 kB\nPss_Dirty: 100 kB\n"); err != nil || got != 200<<10 {
		t.Errorf("%d, %v", got, err)
	}
	if _, err := parsePSS("Rss: 300 kB\n"); err == nil {
		t.Error("a file without Pss is fine")
	}
}

func TestChildrenCount(t *testing.T) {
	t.Parallel()
	// The shell waits for its child, so that it stays the child's parent.
	cmd := exec.Command("sh", "-c", "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; read x'; true")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { in.Close(); _ = cmd.Wait() }()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		used, err := CPU(cmd.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		if used >= 5*tick {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("only %v", used)
		}
	}
	if pss, err := PSS(os.Getpid()); err != nil || pss < 1<<20 {
		t.Errorf("this process has %d, %v", pss, err)
	}
}

func TestEndedProcessIsAnError(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if _, err := CPU(cmd.Process.Pid); err == nil {
		t.Error("an ended process has a CPU time")
	}
}
