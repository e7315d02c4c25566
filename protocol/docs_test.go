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
//	go test ./protocol -run TestCodesInDocs -update
var update = flag.Bool("update", false, "write the tables of codes into the documentation")

const docs = "../docs/protocol.md"

func codesTable() string {
	var b strings.Builder
	b.WriteString("| code | HTTP | again later? | meaning |\n|---|---|---|---|\n")
	for _, c := range Codes() {
		fmt.Fprintf(&b, "| `%s` | %d | %s | %s |\n", c.Code, c.Status, yes(c.Temporary), c.Help)
	}
	return b.String()
}

func closesTable() string {
	var b strings.Builder
	b.WriteString("4000-4499 mean: do not come back as you are; 4500-4999: reconnect.\n\n")
	b.WriteString("| code | come back? | meaning |\n|---|---|---|\n")
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
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatalf("%s does not have the tables of this package; run: go test ./protocol -run TestCodesInDocs -update", docs)
	}
	if err := os.WriteFile(docs, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The client has the codes in a file of its own, which must say the same.
func TestCodesInClient(t *testing.T) {
	text, err := os.ReadFile("../client/src/codes.ts")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range Codes() {
		if !strings.Contains(string(text), "'"+string(c.Code)+"'") {
			t.Errorf("the client does not know the code %s", c.Code)
		}
	}
	for _, c := range CloseCodes() {
		if !strings.Contains(string(text), fmt.Sprint(c.Reason.Code)) {
			t.Errorf("the client does not know the close code %d", c.Reason.Code)
		}
	}
}
