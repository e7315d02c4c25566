package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"github.com/spf13/cobra"
)

// Stores works on stores on disk that no Caddy has open. dir is the folder of a store, or its file.
type Stores interface {
	Check(dir string, progress StoreProgress) (StoreReport, error)
	Export(dir string, to io.Writer, o StoreExport) error
	Compact(dir string, progress StoreProgress) (before, after int64, err error)
	Renew(dir string) (rooms, documents int, err error)
}

// StoreProgress is called now and then with how many bytes are done, and how many there are at most.
type StoreProgress func(done, total int64)

// StoreReport is what a check of a store has found.
type StoreReport struct {
	File     string         `json:"file"`
	Hub      string         `json:"hub"`
	Bytes    int64          `json:"bytes"`
	Free     int64          `json:"free"`
	Records  map[string]int `json:"records"`
	Problems []string       `json:"problems"`
	More     int            `json:"more"` // problems that are not in Problems
}

// StoreExport says what an export has.
type StoreExport struct {
	Channel  string // the only one; empty: all
	All      bool   // with keys and revocations
	Progress StoreProgress
	Damaged  func(what string, err error) // for what is left out
}

func storeCommand(t *tool) *cobra.Command {
	c := &cobra.Command{
		Use:   "store",
		Short: "Check, export, compact or renew a store on disk while Caddy is stopped",
		Long: `Check, export, compact or renew the file that the option store keeps. The commands open the folder themselves: Caddy must be
stopped, or the folder must be a backup. The flags for Caddy's admin endpoint have no effect.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(storeCheckCommand(t), storeExportCommand(t), storeCompactCommand(t), storeRenewCommand(t))
	return c
}

func storeCheckCommand(t *tool) *cobra.Command {
	c := &cobra.Command{
		Use:   "check <dir>",
		Short: "Read each page and each record of a store, and say what is wrong",
		Long: `Read each page and each record of a store: is a page torn, is a record damaged, has a room all messages and a document
all changes in order. The command changes nothing. The exit code is 2 if something is wrong.`,
		Example: `  caddy realtime store check /var/lib/caddy/realtime
  caddy realtime store check backup/realtime.db`,
		Args: oneArgument,
	}
	c.RunE = t.run(func(_ context.Context, out *printer, args []string) error {
		bar := newBar(out.notes, "MiB checked")
		r, err := t.host.Stores.Check(args[0], bar.bytes)
		bar.end()
		if err != nil {
			return err
		}
		if err := r.show(out); err != nil {
			return err
		}
		if len(r.Problems) > 0 {
			return errNo
		}
		return nil
	})
	return c
}

func (r *StoreReport) show(out *printer) error {
	if out.json {
		text, err := json.Marshal(r)
		if err != nil {
			return err
		}
		return out.raw(text)
	}
	out.line("%s: hub %s, %s, of which %s are free", plain(r.File), plain(r.Hub), size(r.Bytes), size(r.Free))
	tables := make([]string, 0, len(r.Records))
	for name := range r.Records {
		tables = append(tables, name)
	}
	slices.Sort(tables)
	for _, name := range tables {
		out.line("%10d  %s", r.Records[name], plain(name))
	}
	for _, p := range r.Problems {
		out.line("wrong: %s", plain(p))
	}
	switch {
	case r.More > 0:
		out.line("wrong: %d more", r.More)
		fallthrough
	case len(r.Problems) > 0:
		out.note("Put a backup in its place. caddy realtime store export saves what can still be read.")
	default:
		out.line("nothing is wrong")
	}
	return nil
}

func storeExportCommand(t *tool) *cobra.Command {
	var o StoreExport
	c := &cobra.Command{
		Use:   "export <dir>",
		Short: "Print the rooms, messages, documents and members of a store as lines of JSON",
		Long: `Print the rooms, messages, documents, members and unsent events of a store as lines of JSON, each with a type. What the export prints is what
clients have sent: keep it as safe as the store. The secret of the store is never printed. Records that can not be read are named on
standard error and left out; then the exit code is 2.`,
		Example: `  caddy realtime store export /var/lib/caddy/realtime > rooms.jsonl
  caddy realtime store export --channel chat:42 /var/lib/caddy/realtime`,
		Args: oneArgument,
	}
	c.Flags().StringVar(&o.Channel, "channel", "", "print this channel alone")
	c.Flags().BoolVar(&o.All, "all", false, "print also idempotency keys and revocations, which name users and tokens")
	c.RunE = t.run(func(_ context.Context, out *printer, args []string) error {
		bar, damaged := newBar(out.notes, "MiB exported"), false
		o.Progress = bar.bytes
		o.Damaged = func(what string, err error) {
			damaged = true
			out.note("left out: %s: %v", plain(what), err)
		}
		to := bufio.NewWriterSize(out, 1<<16)
		err := errors.Join(t.host.Stores.Export(args[0], to, o), to.Flush())
		bar.end()
		if err == nil && damaged {
			return errNo
		}
		return err
	})
	return c
}

func storeCompactCommand(t *tool) *cobra.Command {
	c := &cobra.Command{
		Use:   "compact <dir>",
		Short: "Rewrite a store, so that its file has no free space",
		Long: `Rewrite a store, so that its file has no free space. Caddy does that by itself when more than half of a file is free. The
command needs room on the disk for a copy. If it fails or is interrupted, the store stays as it is.`,
		Example: `  caddy realtime store compact /var/lib/caddy/realtime`,
		Args:    oneArgument,
	}
	c.RunE = t.run(func(_ context.Context, out *printer, args []string) error {
		bar := newBar(out.notes, "MiB copied")
		before, after, err := t.host.Stores.Compact(args[0], bar.bytes)
		bar.end()
		if err != nil {
			return err
		}
		if out.json {
			return json.NewEncoder(out).Encode(map[string]int64{"bytes_before": before, "bytes_after": after})
		}
		out.line("the file had %s and has %s", size(before), size(after))
		return nil
	})
	return c
}

func storeRenewCommand(t *tool) *cobra.Command {
	c := &cobra.Command{
		Use:   "renew <dir>",
		Short: "Make a store that was restored from a backup safe to use",
		Long: `Give all rooms and documents of a store new epochs, after it was restored from a backup. Otherwise the server gives positions, versions
and ETags out again that clients have seen with other content, and some clients would miss messages without a gap. After this
command each client that comes back gets a gap and loads its state again. Messages, documents and keys stay.`,
		Example: `  caddy realtime store renew /var/lib/caddy/realtime`,
		Args:    oneArgument,
	}
	c.RunE = t.run(func(_ context.Context, out *printer, args []string) error {
		rooms, documents, err := t.host.Stores.Renew(args[0])
		if err != nil {
			return err
		}
		if out.json {
			return json.NewEncoder(out).Encode(map[string]int{"rooms": rooms, "documents": documents})
		}
		out.line("rooms and documents with new epochs: %d and %d; their clients get a gap", rooms, documents)
		return nil
	})
	return c
}

// bytes shows progress in MiB on a terminal, and nothing elsewhere.
func (b *bar) bytes(done, total int64) {
	if b.terminal {
		b.set(int(done>>20), int(total>>20))
	}
}
