package protocol

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The tables of codes are kept here alone; what repeats them is written from them:
//
//	go test ./protocol -run TestCodesIn -update
var update = flag.Bool("update", false, "write the tables of codes into the documentation and the client")

const (
	docs        = "../docs/protocol.md"
	clientCodes = "../client/src/codes.ts"
)

func codesTable() string {
	var b strings.Builder
	b.WriteString("| code | HTTP | retry? | meaning |\n|---|---|---|---|\n")
	for _, c := range Codes() {
		fmt.Fprintf(&b, "| `%s` | %d | %s | %s |\n", c.Code, c.Status, yes(c.Temporary), c.Help)
	}
	return b.String()
}

func closesTable() string {
	var b strings.Builder
	b.WriteString("4000-4499 mean: do not reconnect. 4500-4999 mean: reconnect.\n\n")
	b.WriteString("| code | reconnect? | meaning |\n|---|---|---|\n")
	for _, c := range CloseCodes() {
		fmt.Fprintf(&b, "| %d | %s | %s |\n", c.Reason.Code, yes(c.Reconnect), c.Help)
	}
	return b.String()
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func TestCodesInDocs(t *testing.T) {
	text, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	want := string(text)
	for name, table := range map[string]string{"codes": codesTable(), "closes": closesTable()} {
		part := regexp.MustCompile(`(?s)(<!-- ` + name + `[^>]*-->\n).*(<!-- /` + name + ` -->)`)
		if !part.MatchString(want) {
			t.Fatalf("%s has no place for the table %q", docs, name)
		}
		want = part.ReplaceAllString(want, "${1}"+strings.ReplaceAll(table, "$", "$$")+"${2}")
	}
	hold(t, docs, string(text), want)
}

// hold fails if a file does not have the text that it must have. With -update it writes the
// text.
func hold(t *testing.T, file, text, want string) {
	t.Helper()
	if want == text {
		return
	}
	if !*update {
		t.Fatalf("%s does not say what the tables of this package say; run: go test ./protocol -run TestCodesIn -update", file)
	}
	if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The client has the codes in a file of its own. It has all of them and no others, each with
// the text of the table as its comment.
func TestCodesInClient(t *testing.T) {
	text, err := os.ReadFile(clientCodes)
	if err != nil {
		t.Fatal(err)
	}
	var codes, closes strings.Builder
	for _, c := range Codes() {
		fmt.Fprintf(&codes, "  /** %s */\n  %s: '%[2]s',\n", c.Help, c.Code)
	}
	for _, c := range CloseCodes() {
		fmt.Fprintf(&closes, "  /** %s */\n  %s: %d,\n", c.Help, c.Name, c.Reason.Code)
	}
	want := string(text)
	for name, list := range map[string]string{"ErrorCode": codes.String(), "CloseCode": closes.String()} {
		part := regexp.MustCompile(`(?s)(export const ` + name + ` = \{\n).*?(\} as const;)`)
		if !part.MatchString(want) {
			t.Fatalf("%s has no list %s", clientCodes, name)
		}
		want = part.ReplaceAllString(want, "${1}"+strings.ReplaceAll(list, "$", "$$")+"${2}")
	}
	hold(t, clientCodes, string(text), want)
}
