package browser

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
	"github.com/caddy-realtime/caddy-realtime/internal/freeport"
	"github.com/caddy-realtime/caddy-realtime/internal/spawn"
)

// guide is a document that a reader follows from top to bottom, in an empty folder.
type guide struct {
	t      *testing.T
	dir    string
	env    []string // of a new terminal
	blocks []block  // that the reader has not come to
	start  string   // the commands that started Caddy
	stop   func()   // ends the Caddy that runs
	Addr   string   // stands for localhost:8080
}

// block is a fenced block of a document.
type block struct {
	language, text string
	file           string // the name under which the reader is told to save it
}

var (
	fences = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")
	saveAs = regexp.MustCompile("Save this as `([^`]+)`[^`]*$")
)

// read reads the blocks of a document behind a heading. Only the ports are not those
// in the document.
func read(t *testing.T, document, heading string) *guide {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../..", document))
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(data), "\n"+heading+"\n")
	if !ok {
		t.Fatalf("%s has no heading %q", document, heading)
	}
	g := &guide{t: t, dir: t.TempDir(), Addr: freeport.Addr(t), stop: func() {}}
	text = strings.NewReplacer("localhost:8080", g.Addr, "localhost:8090", freeport.Addr(t)).Replace(text)
	end := 0
	for _, at := range fences.FindAllStringSubmatchIndex(text, -1) {
		b := block{language: text[at[2]:at[3]], text: text[at[4]:at[5]]}
		if name := saveAs.FindStringSubmatch(text[end:at[0]]); name != nil {
			b.file = name[1]
		}
		g.blocks, end = append(g.blocks, b), at[1]
	}
	tools := t.TempDir()
	g.env = []string{
		"PATH=" + tools + ":" + os.Getenv("PATH"), "HOME=" + t.TempDir(),
		"CADDY_ADMIN=" + freeport.Addr(t), // others run a Caddy on this machine, too
	}
	// The reader is in a checkout. The tests have built its program already.
	g.write(filepath.Join(tools, "go"), "#!/bin/sh\n"+
		`[ "$*" = "build ./cmd/caddy" ] && ln -s '`+integration.Program(t)+"' caddy\n", 0o755)
	t.Cleanup(func() { g.stop() })
	return g
}

// next takes the next block, which has to be in a language.
func (g *guide) next(language string) block {
	g.t.Helper()
	if len(g.blocks) == 0 || g.blocks[0].language != language {
		g.t.Fatalf("the next block is not %s: %+v", language, g.blocks)
	}
	b := g.blocks[0]
	g.blocks = g.blocks[1:]
	return b
}

// follow does what the reader does with the next blocks: saves files and types
// commands, until it has done so with one that begins like this.
func (g *guide) follow(until string) {
	g.t.Helper()
	for {
		if len(g.blocks) == 0 {
			g.t.Fatalf("no block begins with %q", until)
		}
		b := g.blocks[0]
		switch {
		case b.file != "":
			g.write(filepath.Join(g.dir, b.file), b.text, 0o644)
		case b.language == "sh":
			g.terminal(b.text)
		default:
			g.t.Fatalf("the reader does not know what to do with this block:\n%s", b.text)
		}
		g.blocks = g.blocks[1:]
		if strings.HasPrefix(b.text, until) {
			return
		}
	}
}

func (g *guide) write(file, text string, mode os.FileMode) {
	g.t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		g.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		g.t.Fatal(err)
	}
}

// terminal opens a terminal in the folder and types commands. One that starts Caddy
// stays open.
func (g *guide) terminal(commands string) {
	g.t.Helper()
	if strings.Contains(commands, "caddy run") {
		g.start = commands
		g.run()
		return
	}
	// Without -f curl is content with any answer.
	commands = strings.ReplaceAll(commands, "curl ", "curl -sS --fail-with-body ")
	cmd := exec.Command("sh", "-ec", commands)
	cmd.Dir, cmd.Env = g.dir, g.env
	if out, err := cmd.CombinedOutput(); err != nil {
		g.t.Fatalf("%v: %s\n%s", err, out, commands)
	}
}

// run starts Caddy, as the reader has done before, and waits until it serves.
func (g *guide) run() {
	g.t.Helper()
	var log strings.Builder
	cmd := exec.Command("sh", "-ec", g.start)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = g.dir, g.env, &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	over, err := spawn.Start(cmd, syscall.SIGTERM)
	if err != nil {
		g.t.Fatal(err)
	}
	g.stop = func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // an error means that it is over
		<-over
		g.stop = func() {}
		if g.t.Failed() {
			g.t.Logf("what Caddy wrote:\n%s", log.String())
		}
	}
	for end := time.Now().Add(patience); ; {
		if res, err := http.Get("http://" + g.Addr + "/"); err == nil {
			_ = res.Body.Close()
			return
		}
		select {
		case <-over:
			g.t.Fatal("Caddy has ended")
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(end) {
			g.t.Fatal("Caddy does not serve")
		}
	}
}
