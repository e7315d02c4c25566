package history

import "crypto/rand"

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
