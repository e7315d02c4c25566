package history

import "testing"

// Stores of earlier versions have these epochs in the positions of their clients.
func TestEpochOfStaysAsItIs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, secret string
		generation   uint64
		want         string
	}{
		{"", "", 0, "ajcvwhtp"},
		{"chat:1", "secret", 0, "nvrfdatl"},
		{"chat:1", "secret", 1, "aycwaidq"},
		{"chat:1", "secret", 0x0102030405060708, "rul5656f"},
	} {
		if got := EpochOf(tt.name, tt.secret, tt.generation); got != tt.want {
			t.Errorf("EpochOf(%q, %q, %#x) is %q, want %q", tt.name, tt.secret, tt.generation, got, tt.want)
		}
	}
}

func TestEpochOfDiffers(t *testing.T) {
	t.Parallel()
	seen, letters := make(map[string]uint64), make(map[rune]int)
	for i := range uint64(3000) {
		e := EpochOf("chat:1", "secret", i<<40|i)
		if other, known := seen[e]; known {
			t.Fatalf("%d and %d have the epoch %q", other, i, e)
		}
		seen[e] = i
		for _, c := range e {
			letters[c]++
		}
	}
	mean := 3000 * epochLength / len(epochAlphabet)
	for _, c := range epochAlphabet {
		if n := letters[c]; n < mean*3/4 || n > mean*5/4 {
			t.Errorf("%c is in the epochs %d times, on average a letter is %d times", c, n, mean)
		}
	}
}

// No letter is likelier than another: so that few letters are enough.
func TestNewEpochIsFair(t *testing.T) {
	t.Parallel()
	const epochs = 40_000
	letters := make(map[rune]int)
	for range epochs {
		for _, c := range NewEpoch() {
			letters[c]++
		}
	}
	mean := epochs * epochLength / len(epochAlphabet) // 8888; the deviation of each number is about 93
	for _, c := range epochAlphabet {
		if n := letters[c]; n < mean*93/100 || n > mean*107/100 {
			t.Errorf("%c came %d times, on average a letter came %d times", c, n, mean)
		}
	}
}
