package redis

import (
	"os"
	"regexp"
	"testing"
)

// The map in the package comment names files that exist, and every source file of the package
// is in it.
func TestMapOfThePackage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	named := make(map[string]bool)
	for _, file := range regexp.MustCompile(`[a-z_/]+\.(go|lua)\b`).FindAllString(string(text), -1) {
		if named[file] = true; !exists(file) {
			t.Errorf("doc.go names %s, which does not exist", file)
		}
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	source := regexp.MustCompile(`^[a-z_]+\.go$`)
	test := regexp.MustCompile(`_test\.go$`)
	for _, e := range entries {
		if name := e.Name(); source.MatchString(name) && !test.MatchString(name) && name != "doc.go" && !named[name] {
			t.Errorf("doc.go does not name %s", name)
		}
	}
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}
