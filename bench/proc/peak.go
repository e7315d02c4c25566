package proc

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Peak returns the greatest resident size, in bytes, that a process has had.
func Peak(pid int) (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmHWM:" {
			n, err := strconv.Atoi(fields[1])
			return n * 1024, err
		}
	}
	return 0, fmt.Errorf("no VmHWM of process %d", pid)
}
