package cli

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// uselessBeside are pairs of flags of which the first one has no effect beside the second one.
var uselessBeside = [][2]string{
	{"address", "url"}, {"hub", "url"},
	{"hub", "all"},
	{"for", "end"},
}

// uselessWithout are pairs of flags of which the first one has no effect without the second one.
var uselessWithout = [][2]string{
	{"key-file", "url"},
	{"revocations", "forget"},
	{"origin", "site"}, // of doctor; bench has no --site
}

// checkFlags returns an error if a flag was given that would have no effect. The user
// of such a flag expects something else than what would happen.
func checkFlags(c *cobra.Command) error {
	given := c.Flags().Changed
	for _, pair := range uselessBeside {
		if given(pair[0]) && given(pair[1]) {
			return fmt.Errorf("--%s has no effect with --%s: leave one of them out", pair[0], pair[1])
		}
	}
	for _, pair := range uselessWithout {
		if c.Flags().Lookup(pair[1]) != nil && given(pair[0]) && !given(pair[1]) {
			return fmt.Errorf("--%s has no effect without --%s", pair[0], pair[1])
		}
	}
	if c.Name() == "doctor" && given("hub") {
		return errors.New("--hub has no effect: doctor looks at all hubs")
	}
	if p := c.Parent(); p != nil && p.Name() == "store" {
		for _, name := range []string{"address", "hub", "url", "key-file"} {
			if given(name) {
				return fmt.Errorf("--%s has no effect: store opens the folder itself", name)
			}
		}
	}
	return nil
}

// ofAPI finds the words with which the HTTP API names a part of a request.
var ofAPI = regexp.MustCompile(`the (?:parameter|field) "?([a-z]+)"?`)

// otherNames are the flags that have another name than the HTTP API, by command.
var otherNames = map[string]map[string]string{
	"connections": {"address": "from"},
	"follow":      {"seconds": "for"},
}

// otherWords are what errors of the HTTP API say to write, and the flags that do so, by command.
var otherWords = map[string]*strings.Replacer{
	"follow": strings.NewReplacer(`"seconds": 0`, "--end"),
}

// inFlags returns an error with the names of flags in place of those of the HTTP API, which the
// user of the command has not written.
func inFlags(c *cobra.Command, err error) error {
	var r *rejected
	if !errors.As(err, &r) {
		return err
	}
	own := *r
	if words := otherWords[c.Name()]; words != nil {
		own.Detail = words.Replace(own.Detail)
	}
	own.Detail = ofAPI.ReplaceAllStringFunc(own.Detail, func(words string) string {
		name := ofAPI.FindStringSubmatch(words)[1]
		if other := otherNames[c.Name()][name]; other != "" {
			name = other
		}
		if c.Flags().Lookup(name) == nil {
			return words
		}
		return "--" + name
	})
	return &own
}

// oneArgument is arguments(1, 1).
func oneArgument(c *cobra.Command, args []string) error { return arguments(1, 1)(c, args) }

// arguments reports an error that shows how a command is written, unless it has at least least and at most
// most arguments. A most of -1 stands for any number.
func arguments(least, most int) cobra.PositionalArgs {
	takes := map[[2]int]string{{0, 0}: "no argument", {0, 1}: "at most one argument", {1, 1}: "one argument", {1, 2}: "one or two arguments", {1, -1}: "one argument or more"}[[2]int{least, most}]
	return func(c *cobra.Command, args []string) error {
		if n := len(args); n < least || most >= 0 && n > most {
			return fmt.Errorf("the command takes %s and has %d; it is written: %s", takes, n, c.UseLine())
		}
		return nil
	}
}
