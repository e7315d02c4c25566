package cli

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// fakeStores is a store with one room.
type fakeStores struct {
	problems []string
	damaged  error
	fails    error
}

func (f fakeStores) Check(dir string, progress StoreProgress) (StoreReport, error) {
	progress(1<<20, 2<<20)
	return StoreReport{File: dir + "/realtime.db", Hub: "default", Bytes: 3 << 20, Free: 1 << 20, Records: map[string]int{"rooms": 1, "messages": 20}, Problems: f.problems}, f.fails
}

func (f fakeStores) Export(_ string, to io.Writer, o StoreExport) error {
	if f.damaged != nil {
		o.Damaged("rooms \"a\"", f.damaged)
	}
	_, err := io.WriteString(to, `{"type":"room","channel":"`+o.Channel+`"}`+"\n")
	return errors.Join(err, f.fails)
}

func (f fakeStores) Compact(string, StoreProgress) (before, after int64, err error) {
	return 2 << 20, 1 << 20, f.fails
}

func (f fakeStores) Renew(string) (rooms, documents int, err error) { return 12, 3, f.fails }

func TestStore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args   []string
		stores fakeStores
		want   string // in the output or the notes
		code   int
	}{
		"check":           {[]string{"check", "dir"}, fakeStores{}, "nothing is wrong", 0},
		"check counts":    {[]string{"check", "dir"}, fakeStores{}, "20  messages", 0},
		"check finds":     {[]string{"check", "dir"}, fakeStores{problems: []string{"page 3 is torn\x1b"}}, `wrong: page 3 is torn\x1b`, exitNo},
		"check as JSON":   {[]string{"check", "--json", "dir"}, fakeStores{}, `"records":{"messages":20,"rooms":1}`, 0},
		"check in use":    {[]string{"check", "dir"}, fakeStores{fails: errors.New("a running Caddy has it open")}, "a running Caddy has it open", exitFailed},
		"no folder":       {[]string{"check"}, fakeStores{}, "it is written: realtime store check <dir>", exitFailed},
		"export":          {[]string{"export", "--channel", "a", "dir"}, fakeStores{}, `{"type":"room","channel":"a"}`, 0},
		"export leaves":   {[]string{"export", "dir"}, fakeStores{damaged: errors.New("torn")}, `left out: rooms "a": torn`, exitNo},
		"export in use":   {[]string{"export", "dir"}, fakeStores{fails: errors.New("in use")}, "in use", exitFailed},
		"compact":         {[]string{"compact", "dir"}, fakeStores{}, "the file had 2.0MiB and has 1.0MiB", 0},
		"compact as JSON": {[]string{"compact", "--json", "dir"}, fakeStores{}, `"bytes_after":1048576`, 0},
		"renew":           {[]string{"renew", "dir"}, fakeStores{}, "new epochs: 12 and 3", 0},
		"renew as JSON":   {[]string{"renew", "--json", "dir"}, fakeStores{}, `{"documents":3,"rooms":12}`, 0},
		"renew in use":    {[]string{"renew", "dir"}, fakeStores{fails: errors.New("in use")}, "in use", exitFailed},
		"useless flag":    {[]string{"check", "--hub", "chat", "dir"}, fakeStores{}, "--hub has no effect", exitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := &cobra.Command{Use: "realtime"}
			Add(root, Host{Stores: c.stores, Exit: func(_ *cobra.Command, code int) error { return exit(code) }})
			var out bytes.Buffer
			root.SetOut(&out)
			root.SetErr(&out)
			root.SetArgs(append([]string{"store"}, c.args...))
			err, code := root.Execute(), 0
			var e exit
			if errors.As(err, &e) {
				code = int(e)
			} else if err != nil {
				code = exitFailed
			}
			if code != c.code || !strings.Contains(out.String(), c.want) {
				t.Errorf("code %d, want %d with %q:\n%s", code, c.code, c.want, out.String())
			}
		})
	}
}
