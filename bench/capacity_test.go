package main

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// measured has a figure as it is written, with a unit.
var measured = regexp.MustCompile(`([\d.,]+) (?:µs|KiB|deliveries)`)

// docs/capacity.md says nothing about processor and memory but what bench/README.md has measured: with a workload that its
// command runs, rounded, or as the difference to the peer.
func TestCapacityIsMeasured(t *testing.T) {
	t.Parallel()
	known := medians(t)
	checked, only := 0, ""
	for _, cells := range tableRows(t, "../docs/capacity.md", 3) {
		takes, command := cells[1], cells[2]
		if _, workloads, ok := strings.Cut(strings.Trim(command, "`"), "-only "); ok {
			only = workloads
		} else if command != "the same" {
			continue // a rule of thumb or a limit
		}
		if _, err := choose(only); err != nil {
			t.Errorf("%s: %v", command, err)
		}
		for _, match := range measured.FindAllStringSubmatch(takes, -1) {
			checked++
			if !said(match[1], known, only) {
				t.Errorf("%s takes %s: bench/README.md has no such median of %s", cells[0], match[0], only)
			}
		}
	}
	if checked < 15 {
		t.Errorf("only %d figures were found", checked)
	}
}

// The rules of thumb are what half of two cores and 2 GiB carry at the figure in their row, rounded down by 3 % at most.
func TestRulesOfThumb(t *testing.T) {
	t.Parallel()
	carried := regexp.MustCompile(`^([\d,]+)(?: a second)?$|([\d,]+) deliveries`)
	checked := 0
	for _, cells := range tableRows(t, "../docs/capacity.md", 3) {
		carries, ends := carried.FindStringSubmatch(cells[1]), measured.FindStringSubmatch(cells[2])
		if carries == nil || ends == nil {
			continue
		}
		checked++
		most := 1e6 / numberIn(t, ends[1])
		if strings.HasPrefix(cells[2], "memory") {
			most = 2 << 20 / numberIn(t, ends[1])
		}
		if n := numberIn(t, carries[1]+carries[2]); n > most || n < 0.97*most {
			t.Errorf("%s: %s, but %.0f follow from %s", cells[0], cells[1], most, cells[2])
		}
	}
	if checked != 5 {
		t.Errorf("%d rules were found", checked)
	}
}

// said tells whether a figure is the rounded median of one of the workloads, or the difference to its peer.
func said(figure string, known map[string][]float64, workloads string) bool {
	plain := strings.ReplaceAll(figure, ",", "")
	n, err := strconv.ParseFloat(plain, 64)
	if err != nil {
		return false
	}
	_, decimals, _ := strings.Cut(plain, ".")
	unit := math.Pow10(-len(decimals))
	if n >= 1000 { // thousands have three digits
		unit = math.Pow10(len(plain) - 3)
	}
	for workload := range strings.SplitSeq(workloads, ",") {
		for _, median := range known[workload] {
			if math.Abs(n-median) <= 0.501*unit {
				return true
			}
		}
	}
	return false
}

// medians has what bench/README.md says of this server, and the differences to its peers, by workload.
func medians(t *testing.T) map[string][]float64 {
	known := make(map[string][]float64)
	for _, cells := range tableRows(t, "README.md", 9) {
		median, _, _ := strings.Cut(cells[2], " ")
		ours, err := strconv.ParseFloat(median, 64)
		if err != nil {
			continue // a heading
		}
		known[cells[0]] = append(known[cells[0]], ours)
		if theirs, err := strconv.ParseFloat(cells[4], 64); err == nil {
			known[cells[0]] = append(known[cells[0]], ours-theirs)
		}
	}
	return known
}

// tableRows returns the rows of the page's tables with so many columns.
func tableRows(t *testing.T, page string, columns int) (all [][]string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line, ok := strings.CutPrefix(strings.TrimSpace(line), "| ")
		cells := strings.Split(strings.TrimSuffix(line, "|"), "|")
		if !ok || len(cells) != columns {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		all = append(all, cells)
	}
	return all
}

func numberIn(t *testing.T, text string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", ""), 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
