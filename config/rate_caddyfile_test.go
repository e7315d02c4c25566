package config

import "testing"

func TestParseRate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want Rate
	}{
		{[]string{"20/s"}, Rate{PerSecond: 20}},
		{[]string{"0.5/s"}, Rate{PerSecond: 0.5}},
		{[]string{"300/s", "600"}, Rate{300, 600}},
		{[]string{"300/s", "1"}, Rate{300, 1}},
	} {
		if got, err := parseRate(test.args); got != test.want || err != nil {
			t.Errorf("%q: got %v, %v", test.args, got, err)
		}
	}
	for _, args := range [][]string{
		{"20"}, {"/s"}, {"20/m"}, {"20/S"}, {"-1/s"}, {"+1/s"}, {"0/s"}, {"0.0/s"}, {"NaN/s"}, {"Inf/s"}, {"1e3/s"},
		{"0x1p4/s"}, {"1_0/s"}, {"2000000000/s"}, {"1.2.3/s"}, {"20/s", "0"}, {"20/s", "-3"}, {"20/s", "x"},
	} {
		if got, err := parseRate(args); err == nil {
			t.Errorf("%q passes as %v", args, got)
		}
	}
}
