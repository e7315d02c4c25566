package realtime

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const optionsPage = "docs/configuration.md"

// Each option says its default and its bounds in the comment of its field and in its row of
// the documentation. Both must be those of the table, which has them from the constants that
// the code uses. An option without a line in the table fails, and so does a row of the
// documentation that no option has.
func TestOptionsSayTheirDefaults(t *testing.T) {
	t.Parallel()
	comments, rows := fieldComments(t), optionRows(t)
	all := optionFields(reflect.TypeFor[Handler](), reflect.TypeFor[App]())
	bounds := make(map[string][]string) // by row
	for _, field := range all {
		o, ok := options[field]
		if !ok {
			t.Errorf("%s has no line in the table of options", field)
			continue
		}
		o.checkComment(t, field, comments[field])
		if o.row != "" {
			o.checkRow(t, field, rows)
			bounds[o.row] = append(bounds[o.row], o.bounds...)
		}
	}
	for field := range options {
		if !slices.Contains(all, field) {
			t.Errorf("the table has %s, which is no option", field)
		}
	}
	for name, row := range rows {
		if _, ok := bounds[name]; !ok {
			t.Errorf("%s has a row %q, which is of no option in the table", optionsPage, name)
		}
		checkBounds(t, fmt.Sprintf("the row %q", name), row.text, bounds[name])
	}
}

func (o option) checkComment(t *testing.T, field, text string) {
	t.Helper()
	switch want := o.inComment(); {
	case want == "" && strings.Contains(text, "Default:"):
		t.Errorf("the comment of %s has a default, and the table has none:\n%s", field, text)
	case want != "" && !regexp.MustCompile(regexp.QuoteMeta(want)+`[.,;:]?( |$)`).MatchString(text):
		t.Errorf("the comment of %s does not say %q:\n%s", field, want, text)
	case strings.Count(text, "Default:") > 1:
		t.Errorf("the comment of %s has several defaults:\n%s", field, text)
	}
	checkBounds(t, "the comment of "+field, text, o.bounds)
}

func (o option) checkRow(t *testing.T, field string, rows map[string]row) {
	t.Helper()
	r, ok := rows[o.row]
	if !ok {
		t.Errorf("%s has no row %q, for %s", optionsPage, o.row, field)
		return
	}
	usual, _, _ := strings.Cut(r.usual, ", at most ") // a bound, which is checked for itself
	if want := o.inRow(); usual != want {
		t.Errorf("%s says of %q that the default is %q, not %q", optionsPage, o.row, usual, want)
	}
}

// numbered finds a bound with a number in a text.
var numbered = regexp.MustCompile("(?i)at (?:most|least) `?[0-9]+(?:,[0-9]{3})*\\w*")

// checkBounds fails unless a text says all these bounds, and no others.
func checkBounds(t *testing.T, where, text string, bounds []string) {
	t.Helper()
	said := numbered.FindAllString(text, -1)
	for i, s := range said {
		said[i] = strings.ToLower(strings.ReplaceAll(s, "`", ""))
	}
	slices.Sort(said)
	want := slices.Sorted(slices.Values(bounds))
	if said = slices.Compact(said); !slices.Equal(said, want) {
		t.Errorf("%s has the bounds %q, and the table %q:\n%s", where, said, want, text)
	}
}

// optionFields lists the options below the types, as `Type.Field`.
func optionFields(types ...reflect.Type) (all []string) {
	seen := make(map[reflect.Type]bool)
	var visit func(reflect.Type)
	visit = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
			t = t.Elem()
		}
		ours := strings.HasPrefix(t.PkgPath(), reflect.TypeFor[Handler]().PkgPath())
		if t.Kind() != reflect.Struct || !ours || seen[t] {
			return
		}
		seen[t] = true
		for i := range t.NumField() {
			if f := t.Field(i); f.Tag.Get("json") != "" {
				all = append(all, t.Name()+"."+f.Name)
				visit(f.Type)
			}
		}
	}
	for _, t := range types {
		visit(t)
	}
	return all
}

// fieldComments reads the comments of all fields from the source, each as one line. A field
// without a comment has that of the field before it.
func fieldComments(t *testing.T) map[string]string {
	t.Helper()
	all := make(map[string]string)
	own, err1 := filepath.Glob("*.go")
	config, err2 := filepath.Glob("config/*.go")
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	for _, name := range slices.Concat(own, config) {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok {
				last := ""
				for _, f := range s.Fields.List {
					if f.Doc != nil {
						last = strings.Join(strings.Fields(f.Doc.Text()), " ")
					}
					for _, name := range f.Names {
						all[spec.Name.Name+"."+name.Name] = last
					}
				}
			}
			return false
		})
	}
	return all
}

// row is what the documentation says of an option.
type row struct {
	usual string // the column with the default
	text  string // all of it
}

var (
	heading  = regexp.MustCompile("^#+ `?([^<`]*[^<` ])")
	cell     = regexp.MustCompile(`(?:[^|\\]|\\.)*\|`)
	name     = regexp.MustCompile("^ `([a-z_]+)")
	sentence = regexp.MustCompile(`Default: ([^.]*)\.`)
)

// optionRows reads the tables with a column for defaults, by section and option as in
// `limits/channels`, and of sections without a table the sentence with the default, as in
// `heartbeat`.
func optionRows(t *testing.T) map[string]row {
	t.Helper()
	text, err := os.ReadFile(optionsPage)
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]row)
	section, defaults := "", false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		cells := cell.FindAllString(strings.TrimPrefix(line, "|"), -1)
		switch {
		case heading.MatchString(line):
			section, defaults = heading.FindStringSubmatch(line)[1], false
		case sentence.MatchString(line):
			rows[section] = row{sentence.FindStringSubmatch(line)[1], line}
		case !strings.HasPrefix(line, "|"):
			defaults = false
		case strings.HasPrefix(line, "| option"):
			defaults = strings.HasSuffix(line, "| default |")
		case defaults && len(cells) > 0 && name.MatchString(cells[0]):
			key := section + "/" + name.FindStringSubmatch(cells[0])[1]
			for rows[key].text != "" {
				key += "+" // a further row of the same option
			}
			rows[key] = row{strings.Trim(cells[len(cells)-1], " |"), line}
		}
	}
	return rows
}
