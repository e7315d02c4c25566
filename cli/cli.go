package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"

	"github.com/spf13/cobra"
)

// Host is what the program around the commands does for them.
type Host struct {
	// Admin returns a client for the admin endpoint at an address in Caddy's notation, and the
	// URL below which it answers, without a slash at the end.
	Admin func(address string) (*http.Client, string, error)
	// Exit returns the error with which a command ends the program with a code above 1.
	Exit func(c *cobra.Command, code int) error
	// Stores works on stores on disk.
	Stores Stores
}

// The exit codes. See the package's documentation.
const (
	exitFailed = iota + 1
	exitNo
	exitUnreachable
)

// commands is the table of all commands.
var commands = []func(*tool) *cobra.Command{
	benchCommand,
	channelsCommand,
	connectionsCommand,
	doctorCommand,
	drainCommand,
	explainCommand,
	followCommand,
	kickCommand,
	publishCommand,
	statsCommand,
	storeCommand,
	tailCommand,
	userCommand,
}

// Add adds all commands and their common flags to the command `realtime`.
func Add(parent *cobra.Command, h Host) {
	t := &tool{host: h}
	parent.Args = noCommand
	parent.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	t.flags(parent.PersistentFlags())
	for _, make := range commands {
		parent.AddCommand(make(t))
	}
}

// noCommand reports what is no command, and which command is like it. Cobra has suggestions for the first word of a
// line alone, and here that is `realtime`.
func noCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	c.SuggestionsMinimumDistance = 2
	var like string
	if names := c.SuggestionsFor(args[0]); len(names) > 0 {
		like = fmt.Sprintf("; did you mean '%s'?", names[0])
	}
	return fmt.Errorf("unknown command %q%s", args[0], like)
}

// errNo ends a command whose answer is no, and which has printed why.
var errNo = errors.New("no")

// work is what a command does. It prints to out.
type work func(ctx context.Context, out *printer, args []string) error

// run makes the function of a command. An interrupt from the keyboard ends its context.
func (t *tool) run(f work) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		err := checkFlags(c)
		if err == nil {
			err = f(ctx, &printer{Writer: c.OutOrStdout(), notes: c.ErrOrStderr(), json: t.json}, args)
		}
		if err == nil || ctx.Err() != nil && errors.Is(err, context.Canceled) {
			return nil
		}
		c.SilenceErrors, c.SilenceUsage = true, true
		code := exitFailed
		switch {
		case errors.Is(err, errNo):
			code = exitNo
		case errors.As(err, new(*unreachable)):
			code = exitUnreachable
		}
		if code != exitNo {
			fmt.Fprintln(c.ErrOrStderr(), "Error:", inFlags(c, err))
		}
		if code == exitFailed {
			return err
		}
		return t.host.Exit(c, code)
	}
}
