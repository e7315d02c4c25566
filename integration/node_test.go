package integration

import (
	"bufio"
	"embed"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/spawn"
)

// scripts are the programs that use libraries of others.
//
//go:embed testdata
var scripts embed.FS

// script reads programs of testdata. What the first ones declare the next ones use.
func script(t *testing.T, names ...string) string {
	t.Helper()
	var all strings.Builder
	for _, name := range names {
		text, err := scripts.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// playNode runs a program in Node, which has the packages of the client. Each line of its output is a
// check that has passed; the last must be "done". A line that answers has makes the test run
// the answer, and then the program goes on.
func playNode(t *testing.T, program string, env []string, answers map[string]func()) {
	t.Helper()
	client := filepath.Join(root(), "client")
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("there is no program 'node'")
	}
	if _, err := os.Stat(filepath.Join(client, "node_modules", "laravel-echo")); err != nil {
		t.Skip("the packages of the client are not installed: run 'make client'")
	}
	node := exec.Command("node", "--experimental-websocket", "--input-type=module", "-e", program)
	node.Dir, node.Env, node.Stderr = client, append(os.Environ(), env...), os.Stderr
	in, err := node.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	over, err := spawn.Start(node, syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Process.Kill(); <-over })
	timer := time.AfterFunc(60*time.Second, func() { _ = node.Process.Kill() })
	defer timer.Stop()
	last := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		last = lines.Text()
		answer := answers[last]
		if answer == nil {
			continue
		}
		answer()
		if _, err := io.WriteString(in, "\n"); err != nil {
			t.Fatal(err)
		}
	}
	if last != "done" {
		t.Fatalf("the last check that has passed is %q", last)
	}
}
