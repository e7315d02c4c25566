package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// read returns a file of the repository.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(), path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The workflows and the Dockerfile cannot run here. What they name exists, and the
// version of Go is the one of go.mod.
func TestPackaging(t *testing.T) {
	t.Parallel()
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "go.mod"))[1]
	for _, path := range []string{"Dockerfile", "examples/cluster/Dockerfile"} {
		if !strings.Contains(read(t, path), "FROM golang:"+version+" ") {
			t.Errorf("%s does not build with Go %s", path, version)
		}
	}
	var workflow struct {
		Jobs map[string]struct{ Steps []struct{ Run string } }
	}
	if err := yaml.Unmarshal([]byte(read(t, ".github/workflows/ci.yml")), &workflow); err != nil {
		t.Fatal(err)
	}
	named := 0
	for job, j := range workflow.Jobs {
		for _, step := range j.Steps {
			for _, path := range regexp.MustCompile(`(^|\s)((\./|\.ci/)[a-z/]+)`).FindAllStringSubmatch(step.Run, -1) {
				named++
				if _, err := os.Stat(filepath.Join(root(), path[2])); err != nil {
					t.Errorf("job %s: %v", job, err)
				}
			}
		}
	}
	if named < 10 {
		t.Errorf("%d paths found in the workflow, expected more", named)
	}
	forms, err := filepath.Glob(filepath.Join(root(), ".github/ISSUE_TEMPLATE/*.yml"))
	if err != nil || len(forms) == 0 {
		t.Fatal(forms, err)
	}
	for _, form := range forms {
		text, err := os.ReadFile(form)
		if err != nil || yaml.Unmarshal(text, new(map[string]any)) != nil {
			t.Errorf("%s: %v", form, err)
		}
	}
}

// systemd takes the drop-in.
func TestSystemdDropIn(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	dir := t.TempDir()
	unit := filepath.Join(dir, "caddy.service")
	if err := os.WriteFile(unit, []byte("[Service]\nExecStart=/bin/true\n"+
		strings.SplitN(read(t, "packaging/caddy-realtime.conf"), "[Service]\n", 2)[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(program, "verify", unit).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

// make release writes the version where it stands, and nothing when something is wrong.
func TestRelease(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"git", "node"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(program, "is not installed")
		}
	}
	dir := t.TempDir()
	for _, path := range []string{"tools/release", "client/package.json", "client/package-lock.json"} {
		to := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, []byte(read(t, path)), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	changelog := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "CHANGELOG.md"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(name string, args ...string) (string, error) {
		c := exec.Command(name, args...)
		c.Dir = dir
		c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com",
			"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
		out, err := c.CombinedOutput()
		return string(out), err
	}
	commit := func() {
		for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"commit", "-q", "--allow-empty", "-m", "a"}} {
			if out, err := run("git", args...); err != nil {
				t.Fatal(out, err)
			}
		}
	}
	const old = "## 0.1.0 - 2026-01-01\n\n- First.\n"
	changelog("# Changelog\n\n## Unreleased\n\n" + old)
	commit()
	for _, bad := range []struct{ version, says string }{
		{"", "VERSION has to be"}, {"v0.2.0", "VERSION has to be"}, {"0.2", "VERSION has to be"},
		{"0.1.0", "a section 0.1.0 already"}, {"0.2.0", "Unreleased of CHANGELOG.md, or '0.2.0 - Unreleased', has no entry"},
	} {
		if out, err := run("tools/release", bad.version); err == nil || !strings.Contains(out, bad.says) {
			t.Errorf("release %q: %v, %s; expected: %s", bad.version, err, out, bad.says)
		}
	}
	const much = " - Unreleased\n\n### Added\n\n- Much.\n\n"
	changelog("# Changelog\n\n## 0.2.0" + much + old)
	if out, err := run("tools/release", "0.2.0"); err == nil || !strings.Contains(out, "that no commit has") {
		t.Errorf("with a change: %v, %s", err, out)
	}
	commit()
	if out, err := run("tools/release", "0.3.0"); err == nil || !strings.Contains(out, "has no entry") {
		t.Errorf("a version that the changelog does not name: %v, %s", err, out)
	}
	for _, heading := range []string{"## 0.2.0" + much, "## Unreleased\n\n### Added\n\n- Much.\n\n"} {
		changelog("# Changelog\n\n" + heading + old)
		commit()
		if out, err := run("tools/release", "0.2.0"); err != nil {
			t.Fatal(out, err)
		}
		for path, says := range map[string]string{
			"CHANGELOG.md":             "## Unreleased\n\n## 0.2.0 - 2",
			"client/package.json":      `"version": "0.2.0"`,
			"client/package-lock.json": `"version": "0.2.0"`,
		} {
			text, err := os.ReadFile(filepath.Join(dir, path))
			if err != nil || !strings.Contains(string(text), says) {
				t.Errorf("%q, %s: %v; it does not contain %q", heading, path, err, says)
			}
		}
	}
}
