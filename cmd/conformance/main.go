// Command conformance checks a server against docs/protocol.md:
//
//	go run ./cmd/conformance --url ws://localhost:8080/realtime --plain 'plain:*' --history 'history:*'
//
// It prints a line for each promise and a table at the end. It exits with 1 if a promise is
// broken, and with 2 if it could not check.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration/conformance"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run runs the checks and returns the exit code.
func run(args []string, out, problems io.Writer) int {
	target, only, err := parse(args, problems)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	var checks []conformance.Check
	if err == nil {
		checks, err = choose(only)
	}
	var results []conformance.Result
	if err == nil {
		results, err = conformance.Run(target, checks, func(r conformance.Result) { conformance.Print(out, r) })
	}
	if err != nil {
		fmt.Fprintln(problems, "conformance:", err)
		return 2
	}
	if !conformance.Summary(out, results) {
		return 1
	}
	return 0
}

// parse reads the command line.
func parse(args []string, problems io.Writer) (target conformance.Target, only string, err error) {
	target.Header = make(http.Header)
	target.Rooms = make(map[conformance.Room]string)
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	flags.SetOutput(problems)
	flags.StringVar(&target.URL, "url", "ws://localhost:8080/realtime", "where WebSockets are opened")
	flags.StringVar(&target.API, "api", "", "where event streams and the HTTP API are; by default as --url, with http")
	flags.StringVar(&target.Token, "token", "", "a token that the server accepts by the command authenticate")
	flags.StringVar(&target.Secret, "secret", os.Getenv("REALTIME_SECRET"),
		"the secret with which the server verifies tokens (HS256), to make tokens with; by default from REALTIME_SECRET")
	flags.StringVar(&target.Key, "key", os.Getenv("REALTIME_API_KEY"), "an API key that may publish, disconnect and revoke; by default from REALTIME_API_KEY")
	flags.IntVar(&target.Connections, "connections", 0, "how many connections the server takes of one client; the checks open one more")
	flags.Func("drain", "a command that makes the server send its clients away; one of the last checks runs it", command(&target.Drain))
	flags.Func("replace", "a command that gives the address to another configuration; one of the last checks runs it", command(&target.Replace))
	flags.Func("stop", "a command that stops the server; the last check runs it", command(&target.Stop))
	flags.DurationVar(&target.Grace, "grace", 0, "how long a user stays in the room of --presence whose connection broke")
	flags.DurationVar(&target.Patience, "patience", 0, "how long to wait for heartbeats and for the end of a token; by default as --timeout")
	flags.StringVar(&target.Method, "method", "", "a method that the app behind the server answers")
	flags.DurationVar(&target.Timeout, "timeout", 5*time.Second, "how long to wait for each frame")
	flags.StringVar(&only, "run", "", "run only the checks whose name matches this regular expression")
	flags.Func("header", "a header of each request, such as 'Origin: https://example.com'; may be repeated", func(s string) error {
		name, value, ok := strings.Cut(s, ":")
		if !ok {
			return errors.New("a header has a colon")
		}
		target.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
		return nil
	})
	for _, room := range conformance.Rooms {
		flags.Func(string(room.Room), room.Help+"; a * at the end stands for a name that each check chooses", func(s string) error {
			target.Rooms[room.Room] = s
			return nil
		})
	}
	err = flags.Parse(args)
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("%q is no flag", flags.Arg(0))
	}
	return target, only, err
}

// command reads the flag for a command, which the shell runs.
func command(run *func() error) func(string) error {
	return func(text string) error {
		*run = func() error {
			out, err := exec.Command("sh", "-c", text).CombinedOutput()
			if err != nil {
				return fmt.Errorf("%w: %s", err, out)
			}
			return nil
		}
		return nil
	}
}

// choose returns the checks with a name. None is an error.
func choose(only string) (chosen []conformance.Check, err error) {
	match, err := regexp.Compile(only)
	if err != nil {
		return nil, err
	}
	for _, c := range conformance.Checks() {
		if match.MatchString(c.Name) {
			chosen = append(chosen, c)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no check has a name like %q", only)
	}
	return chosen, nil
}
