package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/bench/stats"
	"github.com/caddy-realtime/caddy-realtime/bench/workload"
)

// line is a row with what was measured.
type line struct {
	Workload string         `json:"workload"`
	Figure   string         `json:"figure"`
	Peer     string         `json:"peer,omitempty"`
	Ours     stats.Summary  `json:"ours"`
	Theirs   *stats.Summary `json:"theirs,omitempty"`
	Ratio    *stats.Summary `json:"ratio,omitempty"`
	Rounds   int            `json:"rounds"`
	Bar      string         `json:"bar,omitempty"`
	Passed   *bool          `json:"passed,omitempty"`
	Lost     float64        `json:"lost"`      // of this server, all rounds
	LostPeer float64        `json:"lost_peer"` // of the peer
}

// lines returns the rows of a result, none if no round ended well.
func (r *result) lines() (all []line) {
	if len(r.ours) == 0 {
		return nil
	}
	for _, row := range r.pair.rows {
		l := line{Workload: row.workload, Figure: row.figure, Rounds: len(r.ours),
			Ours: stats.Summarize(column(r.ours, row.figure)), Lost: sum(column(r.ours, workload.Lost))}
		if r.pair.peer != nil {
			l.Peer = r.pair.peer.Name
			theirs, ratio := stats.Summarize(column(r.peer, row.figure)), stats.Summarize(ratios(r.ours, r.peer, row.figure))
			l.Theirs, l.Ratio = &theirs, &ratio
			l.LostPeer = sum(column(r.peer, workload.Lost))
		}
		l.judge(row)
		all = append(all, l)
	}
	return all
}

// judge says whether the bar is passed: the interval must reach it, and nothing be lost.
func (l *line) judge(row row) {
	var passed bool
	switch {
	case row.ratio > 0 && l.Ratio != nil:
		l.Bar, passed = fmt.Sprintf("≤ %g × %s", row.ratio, l.Peer), l.Ratio.Low <= row.ratio
	case row.absolute > 0:
		l.Bar, passed = fmt.Sprintf("≤ %g", row.absolute), l.Ours.Low <= row.absolute
	default:
		return
	}
	passed = passed && l.Lost == 0 && l.Rounds > 0
	l.Passed = &passed
}

func column(rounds []workload.Figures, name string) (all []float64) {
	for _, f := range rounds {
		all = append(all, f[name])
	}
	return all
}

func ratios(ours, peer []workload.Figures, name string) (all []float64) {
	for i := range min(len(ours), len(peer)) {
		if peer[i][name] != 0 {
			all = append(all, ours[i][name]/peer[i][name])
		}
	}
	return all
}

func sum(figures []float64) (total float64) {
	for _, f := range figures {
		total += f
	}
	return total
}

// table writes lines as a table in Markdown.
func table(w io.Writer, lines []line) {
	fmt.Fprintln(w, "| workload | figure | ours | peer | theirs | ratio (interval) | bar | passed | lost |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|")
	for _, l := range lines {
		theirs, ratio, passed := "", "", ""
		if l.Theirs != nil {
			theirs, ratio = number(l.Theirs.Median), number(l.Ratio.Median)+" ("+number(l.Ratio.Low)+"-"+number(l.Ratio.High)+")"
		}
		if l.Passed != nil {
			passed = map[bool]string{true: "yes", false: "**no**"}[*l.Passed]
		}
		lost := number(l.Lost)
		if l.LostPeer != 0 {
			lost += " (peer " + number(l.LostPeer) + ")"
		}
		fmt.Fprintf(w, "| %s |\n", strings.Join([]string{l.Workload, l.Figure,
			number(l.Ours.Median) + " (" + number(l.Ours.Low) + "-" + number(l.Ours.High) + ")",
			l.Peer, theirs, ratio, l.Bar, passed, lost}, " | "))
	}
}

// number writes three digits that count.
func number(v float64) string {
	switch {
	case v >= 100 || v <= -100 || v == float64(int(v)):
		return fmt.Sprintf("%.0f", v)
	case v >= 10 || v <= -10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
