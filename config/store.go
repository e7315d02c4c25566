package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/backend/disk"
	"github.com/caddy-realtime/caddy-realtime/internal/block"
	"github.com/caddy-realtime/caddy-realtime/node"
)

// Store keeps the messages of rooms with history, their positions, idempotency keys and
// revocations in a file, so that they outlive a restart of this node. A reload can not change
// it; that takes a restart.
type Store struct {
	// Dir is the folder of the file, for one hub of one process. It is made if it does not
	// exist. May contain placeholders. Required.
	Dir string `json:"dir"`

	// Sync is how long a change may wait for others before all of them are written to the
	// disk at once; at most 1s. What arrives while the disk works shares the next write in any
	// case. A wait saves writes where messages come one by one, and delays each of them.
	// Default: 0, no wait.
	Sync caddy.Duration `json:"sync,omitempty"`
}

// maxSync is the longest wait for others.
const maxSync = time.Second

// parseStore reads
//
//	store <dir> [{
//		sync <duration>
//	}]
func parseStore(d *caddyfile.Dispenser, args []string, c *Hub) error {
	c.Store = &Store{Dir: args[0]}
	if err := storeOptions.ParseBlock(d, "store", c.Store); err != nil {
		return err
	}
	return c.checkStore()
}

var storeOptions = block.Options[*Store]{
	"sync": block.Duration(func(c *Store) *caddy.Duration { return &c.Sync }),
}

// checkStore reports what is wrong whatever the values of placeholders are.
func (c *Hub) checkStore() error {
	switch {
	case c.Store == nil:
		return nil
	case c.Redis != nil:
		return errors.New("there is either 'store' or 'redis': Redis keeps the rooms already")
	case strings.TrimSpace(c.Store.Dir) == "":
		return errors.New("a folder is missing; a variable such as {$STORE} that is not set leaves none")
	case c.Store.Sync < 0 || time.Duration(c.Store.Sync) > maxSync:
		return fmt.Errorf("'sync' is %v; it must be from 0 to 1s", time.Duration(c.Store.Sync))
	}
	return nil
}

// compileStore checks where the rooms are kept and, if read is not nil, returns the options of
// the backend.
func (c *Hub) compileStore(read ReadFile) (node.Store, error) {
	if err := c.checkStore(); err != nil {
		return node.Store{}, fmt.Errorf("store: %w", err)
	}
	if c.Store == nil {
		kept, err := c.Redis.compile(read)
		if err != nil {
			return kept, fmt.Errorf("redis: %w", err)
		}
		return kept, nil
	}
	if read == nil {
		return node.Store{}, nil
	}
	dir, err := caddy.NewReplacer().ReplaceOrErr(c.Store.Dir, true, true)
	if err != nil {
		return node.Store{}, block.Locate(c.Store.Dir, fmt.Errorf("store: %w", err))
	}
	return node.Store{
		Disk: &disk.Options{Dir: dir, Sync: time.Duration(c.Store.Sync)}, Written: Store{dir, c.Store.Sync},
		Option: "store " + dir, Place: block.Place(c.Store.Dir),
	}, nil
}
