package redis

import (
	"testing"
)

// Redis computes the same slots for the tags, and there is one in each part of all slots.
func TestTags(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--cluster-enabled", "yes")
	for _, n := range []int{1, 3, 16} {
		for i, tag := range partitionTags(n) {
			slot := s.do("cluster", "keyslot", "rt:{"+tag+"}m:{room}").(int64)
			if slot != int64(crc16(tag)%clusterSlots) || int(slot)*n/clusterSlots != i {
				t.Errorf("the tag %s of partition %d of %d has slot %d", tag, i, n, slot)
			}
		}
	}
	seen := make(map[string]bool)
	for i, tag := range partitionTags(256) {
		if seen[tag] || int(crc16(tag)%clusterSlots)*256/clusterSlots != i {
			t.Errorf("the tag %s of partition %d", tag, i)
		}
		seen[tag] = true
	}
	// All nodes of all versions must compute the same.
	if got := partitionTags(16)[:3]; got[0] != "p0.41" || got[1] != "p1.42" || got[2] != "p2.3" {
		t.Errorf("tags are %q", got)
	}
}
