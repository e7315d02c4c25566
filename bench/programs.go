package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// build compiles a program of a source tree, and returns the file. The overlay replaces
// files of the tree while they are compiled.
func build(ctx context.Context, tree, program, dir, name string, overlay map[string]string) (string, error) {
	out := filepath.Join(dir, name)
	args := []string{"build", "-o", out}
	if overlay != nil {
		file, err := writeOverlay(dir, name, overlay)
		if err != nil {
			return "", err
		}
		args = append(args, "-overlay", file)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, program)...)
	cmd.Dir = tree
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", program, err, text)
	}
	return out, nil
}

func writeOverlay(dir, name string, replace map[string]string) (string, error) {
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, name+".overlay.json")
	return file, os.WriteFile(file, text, 0o600)
}

// tree returns the root of this source tree.
func tree(ctx context.Context) (string, error) {
	text, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("run this inside the source tree: %w", err)
	}
	return filepath.Clean(string(text[:len(text)-1])), nil
}

// revision checks out a revision of the tree at root and builds its Caddy. It returns the
// program. The checkout is removed again; the program is not.
func revision(ctx context.Context, root, rev, dir string) (string, error) {
	checkout := filepath.Join(dir, "checkout")
	git := func(args ...string) error {
		// Not ended by ctx: a checkout that is half removed is left over.
		if text, err := exec.Command("git", append([]string{"-C", root}, args...)...).CombinedOutput(); err != nil { //nolint:gosec // our own arguments
			return fmt.Errorf("git %s: %w\n%s", args[0], err, text)
		}
		return nil
	}
	if err := git("worktree", "add", "--detach", "--force", checkout, rev); err != nil {
		return "", err
	}
	defer func() { _ = git("worktree", "remove", "--force", checkout) }()
	// The revision may have no such program yet.
	return build(ctx, checkout, "./bench/caddy", dir, "caddy-of-revision", map[string]string{
		filepath.Join(checkout, "bench", "caddy", "main.go"): filepath.Join(root, "bench", "caddy", "main.go"),
	})
}
