package redis

import (
	"crypto/sha1"
	_ "embed"
	"encoding/hex"
	"strings"
	"sync"
)

// script is a Lua script. Redis knows it by its hash after it was sent once.
type script struct {
	source, hash string
	// sharded is the same script for a cluster, where it publishes with SPUBLISH. It is nil in
	// that script itself.
	sharded *script
	// recording is the same script, which also records events for the app. It is nil in a script
	// that records none.
	recording *script

	bySecret sync.Map // the scripts that forSecret made: key of the secret → *script
}

// whenFull is the first line of a script. It says what the script may do while Redis is full,
// which means over its maxmemory. Without this line Redis checks only the first write. A script
// whose first write frees memory could then take any amount of memory.
type whenFull string

const (
	// refuseWhenFull: Redis rejects the script. It is for scripts that add data of clients.
	refuseWhenFull whenFull = "#!lua\n"
	// runWhenFull: the script runs. It is for scripts that free memory, and for those that add
	// only a bounded amount and must go on.
	runWhenFull whenFull = "#!lua flags=allow-oom\n"
	// readOnly: the script runs and writes nothing. Redis enforces that.
	readOnly whenFull = "#!lua flags=no-writes\n"
	// runUntilGrowth: the script runs until it adds something. Either its first write adds and
	// Redis rejects it, or all its writes delete or shorten.
	runUntilGrowth whenFull = ""
)

func newScript(f whenFull, source ...string) *script {
	text := string(f) + strings.Join(source, "")
	s := hashScript(text)
	s.sharded = hashScript(strings.ReplaceAll(text, "redis.call('PUBLISH'", "redis.call('SPUBLISH'"))
	return s
}

// newRecordingScript returns a script that records no events, with the one that does beside it.
func newRecordingScript(f whenFull, source ...string) *script {
	s := newScript(f, append([]string{"local recordEvent, recordWith\n"}, source...)...)
	s.recording = newScript(f, append([]string{outboxSource, outboxWithSource}, source...)...)
	return s
}

func hashScript(source string) *script {
	sum := sha1.Sum([]byte(source))
	return &script{source: source, hash: hex.EncodeToString(sum[:])}
}

// forSecret returns the script with the key of a secret in its text. So its hash is different
// for each secret, and Redis does not know the hash before the script ran with this secret. See
// secret.go. Without a key it returns the script itself.
func (s *script) forSecret(key string) *script {
	if key == "" {
		return s
	}
	if marked, ok := s.bySecret.Load(key); ok {
		return marked.(*script)
	}
	// The text has the hash of the key, because a key may have a line break in it.
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
	//go:embed lua/publish_fed.lua
	publishFedSource string
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
	//go:embed lua/presence_forget.lua
	forgetMembersSource string
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
	//go:embed lua/nodes_announce.lua
	announceSource string
	//go:embed lua/nodes_ask.lua
	askSource string
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
	//go:embed lua/redact.lua
	redactSource string
	//go:embed lua/outbox.lua
	outboxSource string
	//go:embed lua/outbox_with.lua
	outboxWithSource string
	//go:embed lua/publish_recorded.lua
	publishRecordedSource string
	//go:embed lua/outbox_queue.lua
	outboxQueueSource string
	//go:embed lua/outbox_claim.lua
	claimSource string
	//go:embed lua/outbox_next.lua
	nextSource string
	//go:embed lua/outbox_done.lua
	doneSource string
	//go:embed lua/outbox_record.lua
	recordSource string
	//go:embed lua/outbox_hold.lua
	holdSource string
	//go:embed lua/outbox_reap.lua
	reapHoldsSource string
	//go:embed lua/intake_claim.lua
	intakeClaimSource string

	publishScript         = newRecordingScript(refuseWhenFull, emptyEpochSource, keysSource, publishSource)
	publishUnstoredScript = newRecordingScript(refuseWhenFull, emptyEpochSource, keysSource, publishUnstoredSource)
	publishFedScript      = newScript(runWhenFull, publishFedSource)
	positionScript        = newScript(runUntilGrowth, emptyEpochSource, positionSource)
	endLogScript          = newScript(runWhenFull, endLogSource)
	renewEpochScript      = newScript(runWhenFull, renewEpochSource)
	redactScript          = newScript(runWhenFull, redactSource)
	historyScript         = newScript(runUntilGrowth, emptyEpochSource, historySource)
	enterMembersScript    = newRecordingScript(refuseWhenFull, presenceSource, enterMembersSource)
	leaveMembersScript    = newRecordingScript(runWhenFull, presenceSource, leaveMembersSource)
	forgetMembersScript   = newRecordingScript(runWhenFull, presenceSource, forgetMembersSource)
	reapMembersScript     = newRecordingScript(runWhenFull, presenceSource, reapMembersSource)
	renewLeaseScript      = newScript(runWhenFull, renewLeaseSource)
	listMembersScript     = newScript(runUntilGrowth, listMembersSource)
	reportCountsScript    = newScript(runWhenFull, reportCountsSource)
	countElsewhereScript  = newScript(readOnly, countElsewhereSource)
	addOrderScript        = newScript(runWhenFull, addOrderSource)
	readOrdersScript      = newScript(readOnly, readOrdersSource)
	announceScript        = newScript(runWhenFull, announceSource)
	askScript             = newScript(runWhenFull, askSource)
	loadDocumentScript    = newScript(runUntilGrowth, ledgerSource, documentSource, loadDocumentSource)
	commitDocumentScript  = newRecordingScript(refuseWhenFull, ledgerSource, documentSource, commitDocumentSource)
	forgetDocumentScript  = newScript(runWhenFull, ledgerSource, documentSource, forgetDocumentSource)
	listDocumentsScript   = newScript(runWhenFull, ledgerSource, listDocumentsSource)
	findChangeScript      = newScript(readOnly, findChangeSource)
	replaceSecretScript   = newScript(runWhenFull, replaceSecretSource)
	layoutScript          = newScript(runWhenFull, layoutSource)
	publishRecordedScript = newScript(refuseWhenFull, outboxSource, outboxWithSource, publishRecordedSource)
	claimScript           = newScript(runWhenFull, outboxSource, outboxQueueSource, claimSource)
	nextScript            = newScript(runWhenFull, outboxSource, outboxQueueSource, nextSource)
	doneScript            = newScript(runWhenFull, outboxSource, outboxQueueSource, doneSource)
	recordScript          = newScript(refuseWhenFull, outboxSource, recordSource)
	holdScript            = newScript(runWhenFull, outboxSource, holdSource)
	reapHoldsScript       = newScript(runWhenFull, outboxSource, reapHoldsSource)
	intakeClaimScript     = newScript(runWhenFull, intakeClaimSource)
)
