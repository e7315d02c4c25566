package browser

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// board is what a tab shows of the todo example: the texts of the cards by column.
func (p *Tab) board() string {
	p.t.Helper()
	return Eval[string](p, boardScript)
}

const boardScript = `[...document.querySelectorAll('section')].map((s) => s.dataset.column + ': ' +
	[...s.querySelectorAll('textarea')].map((t) => t.value).join(', ')).join('; ')`

// showsBoard waits until the board is a certain one.
func (p *Tab) showsBoard(want string) {
	p.t.Helper()
	p.comesTo(boardScript, want)
}

// comesTo waits until an expression has a value. What is in fields is no part of the
// tree, whose changes could be waited for.
func (p *Tab) comesTo(expression, want string) {
	p.t.Helper()
	text, _ := json.Marshal(want)
	p.Do(chromedp.Poll[chromedp.Void](expression+` === `+string(text), chromedp.WithPollingInterval(20*time.Millisecond)))
}

// addCard adds a card to a column of the todo example, as a visitor does.
func (p *Tab) addCard(column, text string) {
	p.t.Helper()
	p.Run(`form = document.querySelector('[data-column=%s] form')
		form.elements.text.value = '%s'
		form.requestSubmit()`, column, text)
}

// card is an expression for the card with a text.
func card(text string) string {
	return `[...document.querySelectorAll('li[data-id]')].find((li) => li.querySelector('textarea').value === '` + text + `')`
}

// rename types another text into a card.
func (p *Tab) rename(text, to string) {
	p.t.Helper()
	p.Run(`enter(%s.querySelector('textarea'), '%s')`, card(text), to)
}

// enter types into a field.
const enter = `enter = (field, text) => { field.value = text; field.dispatchEvent(new Event('input', { bubbles: true })); };`

// Two visitors change one board, one of them without a network for a while. Both see
// the same in the end, with everything that both did.
func TestExampleTodo(t *testing.T) {
	s := integration.Start(t, example(t, "todo"))
	line := newLine(t, s.Addr("site"))
	browser := Start(t)
	ann := browser.Open("ann", "http://"+s.Addr("site")+"/?name=Ann")
	bob := browser.Open("bob", "http://"+line.addr+"/?name=Bob")
	for _, tab := range []*Tab{ann, bob} {
		tab.shows("#status", "saved")
		tab.Run(enter)
	}
	ann.addCard("todo", "Cake")
	ann.addCard("todo", "Music")
	bob.showsBoard("todo: Cake, Music; doing: ; done: ")
	ann.shows("#people", "B")

	line.cut()
	bob.offline(true)
	bob.shows("#status", "offline")
	bob.Run(`%s.querySelector('.on').click()`, card("Cake"))
	bob.addCard("done", "Date")
	bob.shows("#status", "2 to save")
	bob.showsBoard("todo: Music; doing: Cake; done: Date")
	ann.rename("Cake", "Chocolate cake")
	ann.addCard("todo", "Chairs")
	ann.shows("#status", "saved")
	ann.showsBoard("todo: Chocolate cake, Music, Chairs; doing: ; done: ")

	line.mend()
	bob.offline(false)
	for _, tab := range []*Tab{ann, bob} {
		tab.showsBoard("todo: Music, Chairs; doing: Chocolate cake; done: Date")
		tab.shows("#status", "saved")
	}

	// Each one takes back what they did themselves.
	bob.Run(`document.querySelector('#undo').click()`)
	ann.Run(`document.querySelector('#undo').click()`)
	for _, tab := range []*Tab{ann, bob} {
		tab.showsBoard("todo: Music; doing: Chocolate cake; done: ")
	}

	// Of two who change the same, one is told, and can insist.
	line.cut()
	bob.shows("#status", "offline")
	ann.rename("Music", "Band")
	bob.rename("Music", "Organ")
	ann.shows("#status", "saved")
	line.mend()
	bob.shows("#notice", "Somebody else")
	bob.showsBoard("todo: Band; doing: Chocolate cake; done: ")
	bob.Run(`document.querySelector('#notice button').click()`)
	ann.showsBoard("todo: Organ; doing: Chocolate cake; done: ")
}

// Two visitors fill in different fields at the same time, letter by letter.
func TestExampleForm(t *testing.T) {
	s := integration.Start(t, example(t, "form"))
	browser, url := Start(t), "http://"+s.Addr("site")
	ann, bob := browser.Open("ann", url+"/?name=Ann"), browser.Open("bob", url+"/?name=Bob")
	for _, tab := range []*Tab{ann, bob} {
		tab.shows("#status", "saved")
		tab.Run(enter)
		tab.Run(`type = async (name, text) => {
			const field = document.querySelector('#form').elements[name];
			field.dispatchEvent(new Event('focus'));
			for (let n = 1; n <= text.length; n++) {
				enter(field, text.slice(0, n));
				await new Promise((resolve) => setTimeout(resolve, 5));
			}
		}`)
	}
	ann.Run(`void type('title', 'A summer evening with everybody')`)
	bob.Run(`void type('place', 'In the garden, if it does not rain')`)
	for _, tab := range []*Tab{ann, bob} {
		tab.showsField("title", "A summer evening with everybody")
		tab.showsField("place", "In the garden, if it does not rain")
	}
	ann.shows("label:has([name=place]) .who", "Bob")
	bob.shows("label:has([name=title]) .who", "Ann")

	// To take back what was typed leaves alone what somebody else has typed since.
	ann.shows("#status", "saved")
	ann.Run(`document.querySelector('#undo').click()`)
	bob.showsField("title", "")
	bob.showsField("place", "In the garden, if it does not rain")

	res, err := http.Get(url + "/realtime/channels/form:party/document")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if text, _ := io.ReadAll(res.Body); string(text) != `{"place":"In the garden, if it does not rain"}` {
		t.Errorf("the server has %s", text)
	}
}

// showsField waits until a field of the form example has a value.
func (p *Tab) showsField(name, want string) {
	p.t.Helper()
	p.comesTo(`document.querySelector('[name=`+name+`]').value`, want)
}
