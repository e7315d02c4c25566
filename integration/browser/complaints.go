package browser

import (
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
)

// complaint returns what a developer sees in red or yellow in the console, if an event is that: a request that failed, an
// error that nobody catches, and what the page itself writes with console.error or console.warn.
func complaint(ev any) (text string, ok bool) {
	switch e := ev.(type) {
	case *log.EventEntryAdded:
		level := e.Entry.Level
		return fmt.Sprintf("%s: %s (%s)", level, e.Entry.Text, e.Entry.URL), level == log.EntryLevelError || level == log.EntryLevelWarning
	case *runtime.EventExceptionThrown:
		if e.ExceptionDetails.Exception != nil {
			return e.ExceptionDetails.Exception.Description, true
		}
		return e.ExceptionDetails.Text, true
	case *runtime.EventConsoleAPICalled:
		words := make([]string, len(e.Args))
		for i, arg := range e.Args {
			if words[i] = arg.Description; words[i] == "" {
				words[i] = string(arg.Value)
			}
		}
		return fmt.Sprintf("%s: %s", e.Type, strings.Join(words, " ")), e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning
	}
	return "", false
}

// complain keeps a complaint.
func (p *Tab) complain(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.complaints = append(p.complaints, text)
}

// content reports an error if the console of the page has complaints.
func (p *Tab) content() {
	p.t.Helper()
	p.Run(`new Promise(requestAnimationFrame)`) // what has happened before is in the console then
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.complaints) > 0 {
		p.t.Errorf("the console of %s has:\n%s", p.name, strings.Join(p.complaints, "\n"))
	}
}
