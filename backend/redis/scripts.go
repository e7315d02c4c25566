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

	marked sync.Map // the scripts that forSecret made: by key of the secret, a *script
}

// whenFull is the first line of a script. It tells Redis what the script may do while
// Redis is full, that is, over its maxmemory. Without such a line Redis looks no further
// than the first write: a script that begins with one that frees memory may then take as
// much as it likes.
type whenFull string

const (
	// refused: Redis refuses the script. It is for what makes clients' data grow.
	refused whenFull = "#!lua\n"
	// allowed: the script runs. It is for what frees memory, and for what has a bound
	// of its own and has to go on.
	allowed whenFull = "#!lua flags=allow-oom\n"
	// pure: the script writes nothing, which Redis sees to, and runs.
	pure whenFull = "#!lua flags=no-writes\n"
	// until: the script runs until it wants to add something. Its first write adds, and
	// is refused, or all of its writes delete or shorten.
	until whenFull = ""
)

func newScript(f whenFull, source ...string) *script {
	text := string(f) + strings.Join(source, "")
	s := hashed(text)
	s.sharded = hashed(strings.ReplaceAll(text, "redis.call('PUBLISH'", "redis.call('SPUBLISH'"))
	return s
}

func hashed(source string) *script {
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
	if marked, ok := s.marked.Load(key); ok {
		return marked.(*script)
	}
	// The hash of the key stands for it, because a key may have a line break in it.
	marked, _ := s.marked.LoadOrStore(key, hashed(s.source+"\n-- "+hashed(key).hash+"\n"))
	return marked.(*script)
}

var (
	//go:embed blank.lua
	blankSource string
	//go:embed publish.lua
	publishSource string
	//go:embed keys.lua
	keysSource string
	//go:embed relay.lua
	relaySource string
	//go:embed position.lua
	positionSource string
	//go:embed renew.lua
	renewSource string
	//go:embed end.lua
	endSource string
	//go:embed history.lua
	historySource string
	//go:embed presence.lua
	presenceSource string
	//go:embed enter.lua
	enterSource string
	//go:embed leave.lua
	leaveSource string
	//go:embed reap.lua
	reapSource string
	//go:embed lease.lua
	leaseSource string
	//go:embed list.lua
	listSource string
	//go:embed count.lua
	countSource string
	//go:embed elsewhere.lua
	elsewhereSource string
	//go:embed order.lua
	orderSource string
	//go:embed orders.lua
	ordersSource string
	//go:embed document.lua
	documentSource string
	//go:embed ledger.lua
	ledgerSource string
	//go:embed load.lua
	loadSource string
	//go:embed commit.lua
	commitSource string
	//go:embed forget.lua
	forgetSource string
	//go:embed catalog.lua
	catalogSource string
	//go:embed find.lua
	findSource string
	//go:embed awaken.lua
	awakenSource string
	//go:embed layout.lua
	layoutSource string

	publishScript   = newScript(refused, blankSource, keysSource, publishSource)
	relayScript     = newScript(refused, blankSource, keysSource, relaySource)
	positionScript  = newScript(until, blankSource, positionSource)
	endScript       = newScript(allowed, endSource)
	renewScript     = newScript(allowed, renewSource)
	historyScript   = newScript(until, blankSource, historySource)
	enterScript     = newScript(refused, presenceSource, enterSource)
	leaveScript     = newScript(allowed, presenceSource, leaveSource)
	reapScript      = newScript(allowed, presenceSource, reapSource)
	leaseScript     = newScript(allowed, leaseSource)
	listScript      = newScript(until, listSource)
	countScript     = newScript(allowed, countSource)
	elsewhereScript = newScript(pure, elsewhereSource)
	orderScript     = newScript(allowed, orderSource)
	ordersScript    = newScript(pure, ordersSource)
	loadScript      = newScript(until, ledgerSource, documentSource, loadSource)
	commitScript    = newScript(refused, ledgerSource, documentSource, commitSource)
	forgetScript    = newScript(allowed, ledgerSource, documentSource, forgetSource)
	catalogScript   = newScript(allowed, ledgerSource, catalogSource)
	findScript      = newScript(pure, findSource)
	awakenScript    = newScript(allowed, awakenSource)
	layoutScript    = newScript(allowed, layoutSource)
)
