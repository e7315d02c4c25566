package redis

import (
	"crypto/sha1"
	_ "embed"
	"encoding/hex"
	"strings"
	"sync"
)

// script is a Lua script that Redis knows by its hash once it has seen it.
type script struct {
	source, hash string
	// sharded is the same script for a cluster, where it publishes with SPUBLISH; nil
	// in that one itself.
	sharded *script

	bySecret sync.Map // the scripts that forSecret made: by key of the secret, a *script
}

// whenFull is the first line of a script. It tells Redis what the script may do while
// Redis is full, that is, over its maxmemory. Without such a line Redis looks no further
// than the first write: a script that begins with one that frees memory may then take as
// much as it likes.
type whenFull string

const (
	// refused: Redis refuses the script. It is for what makes clients' data grow.
	refuseWhenFull whenFull = "#!lua\n"
	// allowed: the script runs. It is for what frees memory, and for what has a bound
	// of its own and has to go on.
	runWhenFull whenFull = "#!lua flags=allow-oom\n"
	// pure: the script writes nothing, which Redis sees to, and runs.
	readOnly whenFull = "#!lua flags=no-writes\n"
	// until: the script runs until it wants to add something. Its first write adds, and
	// is refused, or all of its writes delete or shorten.
	runUntilGrowth whenFull = ""
)

func newScript(f whenFull, source ...string) *script {
	text := string(f) + strings.Join(source, "")
	s := hashScript(text)
	s.sharded = hashScript(strings.ReplaceAll(text, "redis.call('PUBLISH'", "redis.call('SPUBLISH'"))
	return s
}

func hashScript(source string) *script {
	sum := sha1.Sum([]byte(source))
	return &script{source: source, hash: hex.EncodeToString(sum[:])}
}

// forSecret returns the script with a text that names the key of a secret, and so with a
// hash of its own for each secret. Redis does not know that hash before the script has
// run with this secret: see awaken.go. Without a key it returns the script itself.
func (s *script) forSecret(key string) *script {
	if key == "" {
		return s
	}
	if marked, ok := s.bySecret.Load(key); ok {
		return marked.(*script)
	}
	// The hash of the key stands for it, because a key may have a line break in it.
	marked, _ := s.bySecret.LoadOrStore(key, hashScript(s.source+"\n-- "+hashScript(key).hash+"\n"))
	return marked.(*script)
}

var (
	//go:embed lua/empty_epoch.lua
	emptyEpochSource string
	//go:embed lua/publish.lua
	publishSource string
	//go:embed lua/idempotency_keys.lua
	keysSource string
	//go:embed lua/publish_unstored.lua
	publishUnstoredSource string
	//go:embed lua/position.lua
	positionSource string
	//go:embed lua/renew_epoch.lua
	renewEpochSource string
	//go:embed lua/end_log.lua
	endLogSource string
	//go:embed lua/history.lua
	historySource string
	//go:embed lua/presence.lua
	presenceSource string
	//go:embed lua/presence_enter.lua
	enterMembersSource string
	//go:embed lua/presence_leave.lua
	leaveMembersSource string
	//go:embed lua/presence_reap.lua
	reapMembersSource string
	//go:embed lua/presence_lease.lua
	renewLeaseSource string
	//go:embed lua/presence_list.lua
	listMembersSource string
	//go:embed lua/connections_report.lua
	reportCountsSource string
	//go:embed lua/connections_elsewhere.lua
	countElsewhereSource string
	//go:embed lua/orders_add.lua
	addOrderSource string
	//go:embed lua/orders_read.lua
	readOrdersSource string
	//go:embed lua/document.lua
	documentSource string
	//go:embed lua/document_ledger.lua
	ledgerSource string
	//go:embed lua/document_load.lua
	loadDocumentSource string
	//go:embed lua/document_commit.lua
	commitDocumentSource string
	//go:embed lua/document_forget.lua
	forgetDocumentSource string
	//go:embed lua/document_list.lua
	listDocumentsSource string
	//go:embed lua/document_find_change.lua
	findChangeSource string
	//go:embed lua/replace_secret.lua
	replaceSecretSource string
	//go:embed lua/layout.lua
	layoutSource string

	publishScript         = newScript(refuseWhenFull, emptyEpochSource, keysSource, publishSource)
	publishUnstoredScript = newScript(refuseWhenFull, emptyEpochSource, keysSource, publishUnstoredSource)
	positionScript        = newScript(runUntilGrowth, emptyEpochSource, positionSource)
	endLogScript          = newScript(runWhenFull, endLogSource)
	renewEpochScript      = newScript(runWhenFull, renewEpochSource)
	historyScript         = newScript(runUntilGrowth, emptyEpochSource, historySource)
	enterMembersScript    = newScript(refuseWhenFull, presenceSource, enterMembersSource)
	leaveMembersScript    = newScript(runWhenFull, presenceSource, leaveMembersSource)
	reapMembersScript     = newScript(runWhenFull, presenceSource, reapMembersSource)
	renewLeaseScript      = newScript(runWhenFull, renewLeaseSource)
	listMembersScript     = newScript(runUntilGrowth, listMembersSource)
	reportCountsScript    = newScript(runWhenFull, reportCountsSource)
	countElsewhereScript  = newScript(readOnly, countElsewhereSource)
	addOrderScript        = newScript(runWhenFull, addOrderSource)
	readOrdersScript      = newScript(readOnly, readOrdersSource)
	loadDocumentScript    = newScript(runUntilGrowth, ledgerSource, documentSource, loadDocumentSource)
	commitDocumentScript  = newScript(refuseWhenFull, ledgerSource, documentSource, commitDocumentSource)
	forgetDocumentScript  = newScript(runWhenFull, ledgerSource, documentSource, forgetDocumentSource)
	listDocumentsScript   = newScript(runWhenFull, ledgerSource, listDocumentsSource)
	findChangeScript      = newScript(readOnly, findChangeSource)
	replaceSecretScript   = newScript(runWhenFull, replaceSecretSource)
	layoutScript          = newScript(runWhenFull, layoutSource)
)
