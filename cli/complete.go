package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"
)

const (
	// completeLimit bounds how long the shell waits for the names of channels.
	completeLimit = time.Second
	completeMost  = 50
)

// completeChannels completes the names of active channels, for commands with several.
func (t *tool) completeChannels(_ *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(context.Background(), completeLimit)
	defer cancel()
	s, err := t.site()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	v, _, err := get[struct{ Channels []channel }](ctx, s, "/channels"+query("prefix", prefix, "limit", "50"))
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, c := range v.Channels[:min(len(v.Channels), completeMost)] {
		names = append(names, c.Channel)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeChannel is completeChannels for commands with one channel.
func (t *tool) completeChannel(c *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return t.completeChannels(c, args, prefix)
}
