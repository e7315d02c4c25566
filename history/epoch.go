package history

import (
	"crypto/rand"
	"crypto/sha256"
)

const (
	epochLength   = 8
	epochAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
)

// NewEpoch makes up a name for a new log: 8 characters of a-z and 0-9, which are
// about 41 random bits. Two logs of one room have to differ, nothing more.
func NewEpoch() string {
	// The largest multiple of 36 below 256: bytes above it would make the first
	// letters of the alphabet likelier.
	const fair = 256 - 256%len(epochAlphabet)
	var buf [2 * epochLength]byte
	name := make([]byte, 0, epochLength)
	for {
		rand.Read(buf[:]) // never fails, by its contract
		for _, b := range buf {
			if int(b) >= fair {
				continue
			}
			if name = append(name, epochAlphabet[int(b)%len(epochAlphabet)]); len(name) == epochLength {
				return string(name)
			}
		}
	}
}

// EpochOf gives the epoch of a log that has no entry yet and is kept nowhere. The same
// name, secret and generation give the same epoch, so that nothing has to be remembered
// of such a log. Whoever forgets a log with entries changes the generation.
func EpochOf(name, secret string, generation uint64) string {
	h := sha256.New()
	var number [8]byte
	for i := range number {
		number[i] = byte(generation >> (8 * i))
	}
	h.Write(number[:])
	h.Write([]byte(secret))
	h.Write([]byte{0})
	h.Write([]byte(name))
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	epoch := make([]byte, epochLength)
	for i := range epoch {
		// Two bytes for each letter make all letters about equally likely.
		epoch[i] = epochAlphabet[(int(sum[2*i])<<8|int(sum[2*i+1]))%len(epochAlphabet)]
	}
	return string(epoch)
}
