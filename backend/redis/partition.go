package redis

import "fmt"

// slots is how many a Redis Cluster has.
const slots = 16384

// partitions gives the options of each partition of a cluster. All that is kept of
// one has its tag in the name, before anything else in braces, so that it is in one
// slot: rooms, leases, and channels of Pub/Sub.
func (o Options) partitions() []Options {
	each := make([]Options, o.Partitions)
	for i, tag := range tags(o.Partitions) {
		each[i] = o
		each[i].Prefix += "{" + tag + "}"
	}
	return each
}

// tags are texts of which the slot of the i-th is in the i-th of n equal parts of
// all slots. Servers mostly have a range of them each, and so get equal numbers of
// partitions.
func tags(n int) []string {
	tags := make([]string, n)
	for i := range tags {
		for k := 0; tags[i] == ""; k++ {
			tag := fmt.Sprintf("p%d.%d", i, k)
			if int(crc16(tag)%slots)*n/slots == i {
				tags[i] = tag
			}
		}
	}
	return tags
}

// crc16 is the checksum by which Redis Cluster gives keys their slots: CRC-16/XMODEM.
func crc16(s string) (crc uint16) {
	for i := range len(s) {
		crc ^= uint16(s[i]) << 8
		for range 8 {
			carry := crc&0x8000 != 0
			if crc <<= 1; carry {
				crc ^= 0x1021
			}
		}
	}
	return crc
}
