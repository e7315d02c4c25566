// Command mutants measures the tests of the core: it runs gremlins over packages, one after the other,
// and prints a table of the mutants that tests killed, that lived, and that no test reaches.
//
//	mutants -gremlins bin/gremlins history policy
//
// It fails if a package is below the bars, or if a mutant that lived has no reason in survivors.txt.
//
// gremlins changes the code, has the tests run, and counts. To build and link each mutant takes many times as
// long as its tests, so this program builds one binary with all mutants of a package, and stands before the go
// command: it finds which mutant gremlins wrote, and runs the tests that reach it in that binary, see schema.go
// and trial.go. The few mutants that the binary can not have, in constants, are built by the go command.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// The bars of each package, in percent.
const (
	leastKilled  = 95.0
	leastCovered = 90.0
)

func main() {
	if filepath.Base(os.Args[0]) == "go" {
		os.Exit(standIn(os.Args[1:]))
	}
	gremlins := flag.String("gremlins", "bin/gremlins", "the built gremlins")
	workers := flag.Int("workers", 1, "how many mutants are tested at once")
	patience := flag.Int("patience", 15, "how many times as long as without a mutant a test may take")
	reasons := flag.String("reasons", "tools/mutants/survivors.txt", "why mutants live")
	killed := flag.String("killed", "", "a file with the mutants that runs killed; they are not repeated")
	constants := flag.Bool("constants", true, "also test the mutants of constants, each of which is built on its own")
	flag.Parse()
	if err := run(*gremlins, *workers, *patience, *reasons, *killed, *constants, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(gremlins string, workers, patience int, reasonsFile, killed string, constants bool, packages []string) error {
	if killed != "" {
		var err error
		if killed, err = filepath.Abs(killed); err != nil {
			return err
		}
	}
	known, err := readReasons(reasonsFile)
	if err != nil {
		return err
	}
	gremlins, err = filepath.Abs(gremlins)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	env, err := standBefore(work)
	if err != nil {
		return err
	}
	var rows []row
	for _, p := range packages {
		s, err := newSchema(work, p, patience)
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		s.Killed, s.Constants = killed, constants
		saved, err := s.save(work)
		if err != nil {
			return err
		}
		out := filepath.Join(work, strings.ReplaceAll(p, "/", "-")+".json")
		cmd := exec.Command(gremlins, "unleash", "--workers", fmt.Sprint(workers), "--timeout-coefficient", fmt.Sprint(longEnough),
			"--output", out, "./"+p)
		cmd.Env, cmd.Stderr = append(slices.Clone(env), schemaFile+"="+saved), os.Stderr
		if err := watch(cmd, p); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		r, err := readReport(p, out, linesOf(s.Timed))
		if err != nil {
			return err
		}
		r.judge(known)
		for _, tests := range linesOf(s.Chance) {
			fmt.Printf("%s: failed once with a mutant, and passed when it ran again: %s\n", p, tests)
		}
		rows = append(rows, r)
		fmt.Println(r)
	}
	return conclude(rows, known)
}

// watch runs gremlins and says how far it is.
func watch(cmd *exec.Cmd, p string) error {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	var last string
	n := 0
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		last = lines.Text()
		if strings.Contains(last, " at ") {
			if n++; n%25 == 0 || strings.Contains(last, "LIVED") {
				fmt.Printf("%s: %d mutants, %s\n", p, n, strings.TrimSpace(last))
			}
		}
	}
	if _, err := io.Copy(io.Discard, out); err != nil {
		return err
	}
	if err := cmd.Wait(); err != nil {
		return errors.Join(err, errors.New(last))
	}
	return nil
}

// mutant is one change of the source.
type mutant struct {
	Line, Column int
	Type, Status string

	file, text string
}

// row is the result of a package.
type row struct {
	name                            string
	killed, lived, uncovered, timed int
	left                            int      // mutants that were not tried: they do not compile, or are left out on purpose
	without                         []mutant // lived, and no reason is known
	unreached, late                 []mutant
}

func readReport(p, path string, timed []string) (row, error) {
	r := row{name: p}
	data, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	var report struct {
		Files []struct {
			Name      string   `json:"file_name"`
			Mutations []mutant `json:"mutations"`
		} `json:"files"`
	}
	if err := json.Unmarshal(data, &report); err != nil {
		return r, err
	}
	for _, f := range report.Files {
		path := filepath.Join(p, filepath.Base(f.Name))
		source, err := os.ReadFile(path)
		if err != nil {
			return r, err
		}
		lines := strings.Split(string(source), "\n")
		for _, m := range f.Mutations {
			if m.Status == "KILLED" && slices.Contains(timed, timedKey(filepath.Base(f.Name), m.Line, m.Column, m.Type == "CONDITIONALS_BOUNDARY")) {
				m.Status = "TIMED OUT"
			}
			m.file, m.text = path, strings.TrimSpace(lines[m.Line-1])
			r.add(m)
		}
	}
	return r, nil
}

func (r *row) add(m mutant) {
	switch m.Status {
	case "KILLED":
		r.killed++
	case "LIVED":
		r.lived++
		r.without = append(r.without, m)
	case "NOT COVERED":
		r.uncovered++
		r.unreached = append(r.unreached, m)
	case "TIMED OUT":
		r.timed++
		r.late = append(r.late, m)
	default:
		r.left++
	}
}

func share(part, all int) float64 {
	if all == 0 {
		return 100
	}
	return 100 * float64(part) / float64(all)
}

func (r row) killedShare() float64 { return share(r.killed, r.killed+r.lived) }
func (r row) coveredShare() float64 {
	return share(r.killed+r.lived+r.timed, r.killed+r.lived+r.timed+r.uncovered)
}

// String returns a line of the table.
func (r row) String() string {
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %.1f %% | %.1f %% |", r.name, r.killed, r.lived, r.timed, r.uncovered, r.left, r.killedShare(), r.coveredShare())
}

// conclude prints the table, and returns an error for what is not as it should be.
func conclude(rows []row, known reasons) error {
	fmt.Println("\n| package | killed | lived | timed out | not covered | not tried | killed of those that count | covered |")
	fmt.Println("|---|---|---|---|---|---|---|---|")
	var wrong []string
	for _, r := range rows {
		fmt.Println(r)
		if r.killed == 0 {
			wrong = append(wrong, fmt.Sprintf("%s: the tests kill nothing: %d mutants were not tried", r.name, r.left))
		}
		if r.killedShare() < leastKilled {
			wrong = append(wrong, fmt.Sprintf("%s: the tests kill %.1f %%, and should kill %v %%", r.name, r.killedShare(), leastKilled))
		}
		if r.coveredShare() < leastCovered {
			wrong = append(wrong, fmt.Sprintf("%s: the tests reach %.1f %%, and should reach %v %%", r.name, r.coveredShare(), leastCovered))
		}
		for _, m := range r.without {
			wrong = append(wrong, fmt.Sprintf("lived without a reason: %s:%d:%d\n  %s", m.file, m.Line, m.Column, m.key()))
		}
		for _, m := range r.late {
			fmt.Printf("the tests do not end with %s at %s:%d:%d: %s\n", m.Type, m.file, m.Line, m.Column, m.text)
		}
		for _, m := range r.unreached {
			fmt.Printf("no test reaches %s:%d:%d: %s\n", m.file, m.Line, m.Column, m.text)
		}
		for _, k := range known.unused(r.name) {
			fmt.Printf("fewer mutants live here than the reasons say: %s\n", k)
		}
	}
	if len(wrong) > 0 {
		return errors.New("\n" + strings.Join(wrong, "\n"))
	}
	return nil
}
