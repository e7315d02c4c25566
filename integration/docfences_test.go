package integration

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/caddy-realtime/caddy-realtime/cli"
)

// errNotInstalled says that this machine has no program that can check a block.
var errNotInstalled = errors.New("not installed")

// languages has how each kind of block is checked. Where another test does more, its name stands beside.
var languages = map[string]func(*testing.T, block) error{
	"caddyfile": elsewhere("TestDocumentedCaddyfiles", "README.md", "client/", "docs/", "examples/", "bench/"),
	"js":        elsewhere("client/scripts/check-snippets.mjs", "README.md", "client/", "docs/", "examples/"),
	"ts":        elsewhere("client/scripts/check-snippets.mjs", "README.md", "client/", "docs/", "examples/"),
	"tsx":       elsewhere("browser.TestFrameworks", "docs/frameworks.md"),
	"vue":       elsewhere("browser.TestFrameworks", "docs/frameworks.md"),
	"svelte":    elsewhere("browser.TestFrameworks", "docs/frameworks.md"),
	"redis":     elsewhere("redis.TestDocumentedAccessLists and TestTopologies", "docs/configuration.md", "docs/clustering.md"),
	"html":      checkHTML,  // browser.TestReadme, TestGettingStarted and TestScriptTag open all of them
	"sh":        checkShell, // TestDocumentedCurl runs the lines with curl
	"json":      checkJSON,
	"http":      checkHTTP,
	"env":       checkEnv,
	"ini":       checkUnit,
	"go":        checkGo,
	"php":       checkPHP,
	"python":    checkedBy("python3", "-c", "import ast, sys; ast.parse(sys.stdin.read())"),
	"ruby":      checkedBy("ruby", "-c"),
	"mermaid":   checkMermaid,
	"text":      elsewhere("nobody: it is a picture, a formula, or what a program prints", "docs/architecture.md", "docs/clustering.md", "docs/protocol.md", "docs/releasing.md", "docs/troubleshooting.md"),
}

// Each block of the pages is of a kind that a test checks.
func TestDocumentedBlocks(t *testing.T) {
	t.Parallel()
	found, shell := make(map[string]int), []block(nil)
	for page, text := range pages(t) {
		for _, b := range readBlocks(page, text) {
			found[b.language]++
			if b.language == "sh" {
				shell = append(shell, b)
			}
			check := languages[b.language]
			if check == nil {
				t.Errorf("%s:%d: no test checks blocks of the kind %q", b.page, b.line, b.language)
				continue
			}
			if err := check(t, b); errors.Is(err, errNotInstalled) {
				t.Logf("%s:%d: not checked: %v", b.page, b.line, err)
			} else if err != nil {
				t.Errorf("%s:%d: %v\n%s", b.page, b.line, err, b.text)
			}
		}
	}
	checkSyntax(t, shell)
	for language := range languages {
		if found[language] == 0 {
			t.Errorf("no block of the kind %q was found", language)
		}
	}
}

// elsewhere is for blocks that another test checks, on these pages or in these folders.
func elsewhere(test string, where ...string) func(*testing.T, block) error {
	return func(_ *testing.T, b block) error {
		if slices.ContainsFunc(where, func(w string) bool { return strings.HasPrefix(b.page, w) }) {
			return nil
		}
		return fmt.Errorf("this kind is for %s, which does not look at this page", test)
	}
}

// checkedBy checks a block with a program that reads it from its standard input.
func checkedBy(name string, args ...string) func(*testing.T, block) error {
	return func(_ *testing.T, b block) error { return feed(b.text, name, args...) }
}

func feed(text, name string, args ...string) error {
	if _, err := exec.LookPath(name); err != nil {
		return fmt.Errorf("%s is %w", name, errNotInstalled)
	}
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// checkJSON takes one value or several.
func checkJSON(_ *testing.T, b block) error {
	for d := json.NewDecoder(strings.NewReader(b.text)); ; {
		var value any
		if err := d.Decode(&value); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// checkHTTP checks a request: its lines, and a body of JSON.
func checkHTTP(t *testing.T, b block) error {
	first, rest, _ := strings.Cut(b.text, "\n")
	if !regexp.MustCompile(`^(GET|POST) /\S+$`).MatchString(first) {
		return fmt.Errorf("%q is no request", first)
	}
	r := bufio.NewReader(strings.NewReader(rest + "\n\n"))
	header, err := textproto.NewReader(r).ReadMIMEHeader()
	if err != nil {
		return err
	}
	if header.Get("Content-Type") != "application/json" {
		return nil
	}
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return checkJSON(t, block{text: string(body)})
}

func checkEnv(_ *testing.T, b block) error {
	for _, line := range strings.Split(b.text, "\n") {
		if line != "" && !regexp.MustCompile(`^[A-Z_]+=\S+$`).MatchString(line) {
			return fmt.Errorf("%q sets nothing", line)
		}
	}
	return nil
}

// checkUnit checks a part of a unit of systemd.
func checkUnit(t *testing.T, b block) error {
	file := filepath.Join(t.TempDir(), "caddy.service")
	text := strings.Replace(b.text, "[Service]\n", "[Service]\nExecStart=/bin/true\n", 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		return fmt.Errorf("systemd-analyze is %w", errNotInstalled)
	}
	// It complains about options that it does not know, and succeeds.
	if out, err := exec.Command(analyze, "verify", file).CombinedOutput(); err != nil || len(out) > 0 {
		return fmt.Errorf("%v: %s", err, out)
	}
	return nil
}

func checkGo(_ *testing.T, b block) error {
	_, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc f() {\n"+b.text+"}\n", parser.AllErrors)
	return err
}

func checkPHP(_ *testing.T, b block) error {
	return feed("<?php\n"+strings.TrimPrefix(b.text, "<?php\n"), "php", "-l")
}

func checkMermaid(_ *testing.T, b block) error {
	if !regexp.MustCompile(`^(flowchart|graph|sequenceDiagram|stateDiagram)`).MatchString(b.text) {
		return errors.New("this is no diagram")
	}
	return nil
}

// checkHTML checks the scripts of a page, which a test also opens in a browser.
func checkHTML(t *testing.T, b block) error {
	if !slices.Contains([]string{"README.md", "docs/start.md", "docs/frameworks.md"}, b.page) {
		return errors.New("no test in integration/browser opens this page")
	}
	scripts := regexp.MustCompile(`(?s)<script([^>]*)>(.*?)</script>`).FindAllStringSubmatch(b.text, -1)
	if len(scripts) == 0 {
		return errors.New("it has no script")
	}
	for _, m := range scripts {
		kind := "script.cjs"
		if strings.Contains(m[1], "module") {
			kind = "script.mjs"
		}
		file := filepath.Join(t.TempDir(), kind)
		if err := os.WriteFile(file, []byte(m[2]), 0o600); err != nil {
			return err
		}
		if err := feed("", "node", "--check", file); err != nil {
			return err
		}
	}
	return nil
}

// checkSyntax checks the syntax of blocks for a shell: all of them at once and, if that fails, one by one.
func checkSyntax(t *testing.T, blocks []block) {
	t.Helper()
	var all strings.Builder
	for i, b := range blocks {
		fmt.Fprintf(&all, "block%d() {\n:\n%s}\n", i, b.text)
	}
	if feed(all.String(), "bash", "-n") == nil {
		return
	}
	for _, b := range blocks {
		if err := feed(b.text, "bash", "-n"); err != nil {
			t.Errorf("%s:%d: %v\n%s", b.page, b.line, err, b.text)
		}
	}
}

// checkShell checks that targets, packages, commands and flags of this repository exist. checkSyntax checks
// the syntax.
func checkShell(t *testing.T, b block) error {
	makefile := read(t, "Makefile")
	for _, m := range regexp.MustCompile(`(?m)^make ([a-z-]+)`).FindAllStringSubmatch(b.text, -1) {
		if !strings.Contains(makefile, "\n"+m[1]+":") {
			return fmt.Errorf("the Makefile has no target %q", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^go (?:run|build|test) .*?(\./\S+)`).FindAllStringSubmatch(b.text, -1) {
		if _, err := os.Stat(filepath.Join(root(), m[1])); err != nil {
			return err
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^caddy realtime ([^#\n]*)`).FindAllStringSubmatch(b.text, -1) {
		if err := checkCommand(m[1]); err != nil {
			return err
		}
	}
	return nil
}

// Each command line in a sentence is one that the program accepts.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	found := 0
	for page, text := range pages(t) {
		for _, m := range regexp.MustCompile("`caddy realtime ([a-z][^`]*)`").FindAllStringSubmatch(text, -1) {
			found++
			if err := checkCommand(m[1]); err != nil {
				t.Errorf("%s: %v: caddy realtime %s", page, err, m[1])
			}
		}
	}
	if found < 10 {
		t.Errorf("found only %d commands", found)
	}
}

// words splits a command line as a shell does, without its escapes.
var words = regexp.MustCompile(`"(?:\\.|[^"])*"|'[^']*'|[^\s"']+`)

// checkCommand returns an error unless `caddy realtime` has the command, and the command the flags.
func checkCommand(line string) error {
	top := &cobra.Command{Use: "realtime"}
	cli.Add(top, cli.Host{})
	args := words.FindAllString(line, -1)
	for i, a := range args {
		args[i] = strings.Trim(a, `'"`)
	}
	command, rest, err := top.Find(args)
	if err != nil {
		return err
	}
	if command == top {
		return errors.New("there is no such command")
	}
	return command.ParseFlags(rest)
}
