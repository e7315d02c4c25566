package conformance

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// notFromOutside has the codes that no check waits for, and why not.
var notFromOutside = map[string]string{
	"1006":        "no server sends it",
	"1011":        "only a fault of the server leads to it",
	"UNAVAILABLE": "only a server that lacks something for a while sends it",
	"INTERNAL":    "only a fault of the server leads to it",
}

// notPromises are headings without a promise of the server.
var notPromises = []string{"Check a server"}

func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestEachSectionHasChecks checks that each heading of the page names a check, and that each check
// names a heading.
func TestEachSectionHasChecks(t *testing.T) {
	t.Parallel()
	sections := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^##+ (.+)$`).FindAllStringSubmatch(page(t), -1) {
		sections[m[1]] = false
	}
	for _, c := range Checks() {
		if _, ok := sections[c.Section]; !ok {
			t.Errorf("the check %q is about the section %q, which the page does not have", c.Name, c.Section)
		}
		sections[c.Section] = true
	}
	for section, checked := range sections {
		if checked == slices.Contains(notPromises, section) {
			t.Errorf("section %q: has a check: %v", section, checked)
		}
	}
}

// TestEachCodeHasACheck checks that a check waits for each error code and each close code of the
// page, or that there is a reason why none can.
func TestEachCodeHasACheck(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("checks_*.go")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	tables := regexp.MustCompile(`(?s)<!-- (codes|closes):.*?<!-- /`).FindAllString(page(t), -1)
	codes := regexp.MustCompile("(?m)^\\| `?([A-Z_]+|\\d{4})`? \\|").FindAllStringSubmatch(strings.Join(tables, ""), -1)
	if len(codes) < 30 {
		t.Fatalf("only %d codes are in the tables", len(codes))
	}
	for _, m := range codes {
		code, checked := m[1], regexp.MustCompile(`(Close\w*\(|ended\([^)]*?|Code [!=]= |rejected\(|refused\(|problem\()[^\n]*\b`+m[1]+`\b|"`+m[1]+`"`).MatchString(source.String())
		if why := notFromOutside[code]; checked == (why != "") {
			t.Errorf("code %s: a check waits for it: %v; why none can: %q", code, checked, why)
		}
	}
}
