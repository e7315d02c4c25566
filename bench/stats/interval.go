package stats

import "slices"

// Summary is the median of some figures, with an interval that contains the median of
// all possible figures with the probability Coverage.
type Summary struct {
	Median   float64 `json:"median"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
	Coverage float64 `json:"coverage"`
}

// enough is the probability that an interval must have where the figures allow it.
const enough = 0.9

// Summarize returns the median and its interval. The interval lies between two of the
// figures, the same number of places away from both ends: this holds for every
// distribution. It is the narrowest one with a probability of at least 0.9, and all
// figures if there are too few for that.
func Summarize(figures []float64) Summary {
	if len(figures) == 0 {
		return Summary{}
	}
	sorted := slices.Sorted(slices.Values(figures))
	n := len(sorted)
	s := Summary{Median: (sorted[(n-1)/2] + sorted[n/2]) / 2}
	away := 0
	for 2*(away+1) < n && coverage(n, away+1) >= enough {
		away++
	}
	s.Low, s.High, s.Coverage = sorted[away], sorted[n-1-away], coverage(n, away)
	return s
}

// coverage returns the probability that the median lies between the figure that is
// 'away' places from the lowest one and its counterpart: of n tosses of a coin, more
// than 'away' show each side.
func coverage(n, away int) float64 {
	term, outside := 1.0, 0.0
	for range n {
		term /= 2
	}
	for k := 0; k <= away; k++ {
		outside += term
		term *= float64(n-k) / float64(k+1)
	}
	return 1 - 2*outside
}
