package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the module's folder, seen from this package.
const root = "../.."

// pages are for people who change the code. They name files and targets.
var pages = []string{"docs/architecture.md", "CONTRIBUTING.md"}

var (
	inBackticks = regexp.MustCompile("`([^`\n]+)`")
	looksLike   = regexp.MustCompile(`^[a-z_]+(/[A-Za-z0-9_.]*)+$|^[a-z_]+\.go$`)
	makeTarget  = regexp.MustCompile(`\bmake ([a-z-]+)`)
)

// TestPagesNameWhatIsThere keeps those pages true when a file or a target moves.
func TestPagesNameWhatIsThere(t *testing.T) {
	t.Parallel()
	targets := read(t, "Makefile")
	for _, page := range pages {
		text := read(t, page)
		files := 0
		for _, m := range inBackticks.FindAllStringSubmatch(text, -1) {
			if !looksLike.MatchString(m[1]) {
				continue
			}
			files++
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Errorf("%s names %s, which is not there", page, m[1])
			}
		}
		if files == 0 {
			t.Errorf("no file was found in %s", page)
		}
		for _, m := range makeTarget.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(targets, "\n"+m[1]+":") {
				t.Errorf("%s names 'make %s', which the Makefile does not have", page, m[1])
			}
		}
	}
}

// TestMapHasEveryPackage fails when a package of the product is missing on the map.
func TestMapHasEveryPackage(t *testing.T) {
	t.Parallel()
	text := read(t, pages[0])
	for _, r := range rules {
		name := strings.TrimSuffix(r.pkg, "/...")
		if strings.HasPrefix(name, "internal") || strings.Contains(name, ".") {
			continue // helpers, and the root
		}
		if _, err := os.Stat(filepath.Join(root, name)); err == nil && !strings.Contains(text, name+"/`") {
			t.Errorf("%s does not name the package %s", pages[0], name)
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
