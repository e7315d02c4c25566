package redis

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

type scriptWhenFull struct {
	name   string
	script *script
	keys   int
	args   []any
	want   string
}

// scriptsWhenFull says for each script what a full Redis does with it when there is no data
// yet: "refused" or "runs".
var scriptsWhenFull = []scriptWhenFull{
	{"publish", publishScript, 3, []any{"text", "1", 100, 60000, 60000, "topic", "epoch", 0}, "refused"},
	{"publishUnstored", publishUnstoredScript, 7, []any{"text", "topic", "key", 60000, 10, 100, "digest"}, "refused"},
	{"publishFed", publishFedScript, 1, []any{"text", "topic", "room"}, "runs"},
	{"commitDocument", commitDocumentScript, 8, []any{"epoch", "topic", "", 0, "", "entry", "anchor", "", 0, "call", 60000, 0, "-", 0, 0, 0, "name", "rt:"}, "refused"},
	{"enterMembers", enterMembersScript, 15, []any{"node", "topic", "room", 1, 60000, 100, 1000, "key", 0, "", "", 0}, "refused"},

	{"publishRecorded", publishRecordedScript, 2, []any{"text", "topic", "room", 100, 10000, 60000, "wake"}, "refused"},
	{"publish with an event", publishScript.recording, 5, []any{"text", "1", 100, 60000, 60000, "topic", "epoch", 0, "room", 100, 10000, 60000, "wake"}, "refused"},
	{"record", recordScript, 2, []any{"cache_miss", "room", "", 100, 10000, 60000, "wake"}, "refused"},
	{"enterMembers with an event", enterMembersScript.recording, 17, []any{"node", "topic", "room", 1, 60000, 100, 1000, "key", 0, "", "", 0, "el", 100, 10000, 60000, "wake"}, "refused"},

	// These make the secret of Redis if there is none.
	{"position", positionScript, 2, []any{"secret", 60000, ""}, "refused"},
	{"history", historyScript, 3, []any{100, 0, 10, "secret"}, "refused"},
	{"loadDocument", loadDocumentScript, 7, []any{"epoch", "topic", "", 0, "", "0", "name", "rt:"}, "refused"},

	// These free memory.
	{"redact", redactScript, 2, []any{"epoch", "1", "text", 60000}, "runs"},
	{"leaveMembers", leaveMembersScript, 15, []any{"node", "topic", "room", 1, 60000, 100, 1000, "key", 0}, "runs"},
	{"forgetMembers", forgetMembersScript, 15, []any{"node", "topic", "room", 1, 60000, 100, 1000, "key"}, "runs"},
	{"reapMembers", reapMembersScript, 15, []any{"node", "topic", "room", 1, 60000, 100, 1000, 100}, "runs"},

	{"leaveMembers with an event", leaveMembersScript.recording, 17, []any{"node", "topic", "room", 1, 60000, 100, 1000, "key", 0, "el", 100, 10000, 60000, "wake"}, "runs"},
	{"reapMembers with an event", reapMembersScript.recording, 17, []any{"node", "topic", "room", 1, 60000, 100, 1000, 100, "el", 100, 10000, 60000, "wake"}, "runs"},
	{"next", nextScript, 2, []any{"sink", 1, 10, 1000, 100, 10000, 60000, "wake"}, "runs"},
	{"done", doneScript, 2, []any{"sink", 1, "0", 0, "1", "", "0", 100, 10000, 60000, "wake"}, "runs"},

	{"forgetDocument", forgetDocumentScript, 7, []any{"epoch", "topic", "", 0, "", "", 0, "name", "rt:"}, "runs"},
	{"listDocuments", listDocumentsScript, 5, []any{"-", "+", 10, "rt:"}, "runs"},

	// What these add is bounded: by nodes, by connections, by a number, by what a minute brings.
	{"intakeClaim", intakeClaimScript, 2, []any{"node", 5000, 60000}, "runs"},
	{"renewLease", renewLeaseScript, 3, []any{"node", 60000, 1, 1}, "runs"},
	{"replaceSecret", replaceSecretScript, 1, []any{"secret", "", 3000}, "runs"},
	{"layout", layoutScript, 1, []any{"text", "node", 60000, 1}, "runs"},
	{"announce", announceScript, 1, []any{"node", 60000}, "runs"},
	{"ask", askScript, 1, []any{"topic", "question"}, "runs"},
	{"reportCounts", reportCountsScript, 2, []any{"node", 1, 60000, 1, "ann", 1}, "runs"},
	{"addOrder", addOrderScript, 4, []any{"node", 1, "order", "topic", 10, 60000, "name", 0, 10}, "runs"},
	{"claim", claimScript, 2, []any{"sink", "owner", 6000, "0", "name", 60000, 100, 10000, 60000, "wake"}, "runs"},
	{"hold", holdScript, 5, []any{"in:", "node", 1, 60000, "1", "cdov", 0, "1", "0", "cn1", "ann", 100, 10000, 60000, "wake"}, "runs"},
	{"reapHolds", reapHoldsScript, 4, []any{"in:", "has:", "cdov", 100, 60000, 60000, 100, 10000, 60000, "wake"}, "runs"},
	{"renewEpoch", renewEpochScript, 1, []any{"old", "new", 60000}, "runs"},
	{"endLog", endLogScript, 2, []any{"new", 60000}, "runs"},

	// These only read.
	{"readOrders", readOrdersScript, 1, []any{"", 10}, "runs"},
	{"countElsewhere", countElsewhereScript, 1, []any{"node", "prefix", "ann"}, "runs"},
	{"findChange", findChangeScript, 2, nil, "runs"},
	{"listMembers", listMembersScript, 5, []any{"", 10, 1}, "runs"},
}

func TestScriptsWhenFull(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	s.fill()
	for _, test := range scriptsWhenFull {
		words := []string{"eval", test.script.source, fmt.Sprint(test.keys)}
		for i := range test.keys {
			words = append(words, fmt.Sprintf("%s:%d", test.name, i))
		}
		for _, a := range test.args {
			words = append(words, fmt.Sprint(a))
		}
		got := "runs"
		reply, err := s.Try(words...)
		if err != nil && strings.Contains(err.Error(), "OOM") {
			got = "refused"
		} else if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if got != test.want {
			t.Errorf("%s: %s, with %v, %v; want %s", test.name, got, reply, err, test.want)
		}
		if got == "refused" {
			if left := s.do("keys", test.name+":*"); len(left.([]any)) > 0 {
				t.Errorf("%s is refused and leaves %v", test.name, left)
			}
		}
	}
}

// Every script is in the table.
func TestScriptsWhenFullAreAll(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "scripts.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) == 0 || !strings.HasSuffix(spec.Names[0].Name, "Script") {
			return true
		}
		found++
		name := strings.TrimSuffix(spec.Names[0].Name, "Script")
		if !slices.ContainsFunc(scriptsWhenFull, func(row scriptWhenFull) bool { return row.name == name }) {
			t.Errorf("it is not said whether the script %s runs when Redis is full", name)
		}
		return true
	})
	if found < 18 {
		t.Errorf("found %d scripts", found)
	}
}
