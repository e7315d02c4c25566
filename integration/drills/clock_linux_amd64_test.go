package drills

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// wallClock moves the wall clock of a running process, as a correction of the date does. The
// monotonic clock goes on, and the machine notices nothing.
//
// Neither a time namespace nor a library that is loaded first can do that: the one has no
// wall clock, and Go asks the kernel's vDSO without any library. So the drill puts code of its
// own behind the vDSO of the process, which asks the kernel and adds an offset, and makes Go's
// runtime call that code. It writes to the memory of the process, one word at a time.
type wallClock struct {
	t      *testing.T
	memory *os.File
	offset int64 // address of the offset
}

// movableClock prepares the clock of a process. The error says that this machine does not
// allow to write to its memory.
func movableClock(t *testing.T, p *integration.Process) (*wallClock, error) {
	t.Helper()
	memory, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", p.PID()), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = memory.Close() })
	from, to, err := vdsoOf(p.PID())
	if err != nil {
		return nil, err
	}
	at := to - int64(len(clockCode)) // in the zeros behind its content
	old := make([]byte, len(clockCode))
	if _, err := memory.ReadAt(old, at); err != nil || at < from || len(bytes.Trim(old, "\x00")) > 0 {
		return nil, fmt.Errorf("no space behind the vDSO: %w", err)
	}
	if _, err := memory.WriteAt(clockCode, at); err != nil {
		return nil, err
	}
	pointer, err := symbol(fmt.Sprintf("/proc/%d/exe", p.PID()), "runtime.vdsoClockgettimeSym")
	if err != nil {
		return nil, err
	}
	if _, err := memory.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(at)), pointer); err != nil {
		return nil, err
	}
	return &wallClock{t: t, memory: memory, offset: at + clockOffset}, nil
}

// set makes the clock wrong by an offset, in seconds.
func (c *wallClock) set(by time.Duration) {
	c.t.Helper()
	if _, err := c.memory.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(int64(by.Seconds()))), c.offset); err != nil {
		c.t.Fatal(err)
	}
}

// clockCode is clock_gettime(clock, result): the system call, and then the offset is added to the
// seconds if the clock is CLOCK_REALTIME, which is 0.
var clockCode = []byte{
	0xb8, 0xe4, 0x00, 0x00, 0x00, // mov eax, 228 (SYS_clock_gettime)
	0x0f, 0x05, // syscall
	0x85, 0xff, // test edi, edi
	0x75, 0x10, // jnz to ret
	0x0f, 0x1f, 0x00, // nop, so that the offset is at an address that is a multiple of 8
	0x48, 0xb9, 0, 0, 0, 0, 0, 0, 0, 0, // mov rcx, offset
	0x48, 0x01, 0x0e, // add [rsi], rcx
	0xc3,                         // ret
	0x90, 0x90, 0x90, 0x90, 0x90, // nop to a multiple of 8
}

const clockOffset = 16 // in clockCode

// vdsoOf is where the kernel has mapped its code into a process.
func vdsoOf(pid int) (from, to int64, err error) {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(maps)) {
		if strings.Contains(line, "[vdso]") {
			_, err = fmt.Sscanf(line, "%x-%x", &from, &to)
			return from, to, err
		}
	}
	return 0, 0, fmt.Errorf("process %s has no vDSO", strconv.Itoa(pid))
}

// symbol is the address of a variable of a program.
func symbol(program, name string) (int64, error) {
	f, err := elf.Open(program)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	list, err := f.Symbols()
	if err != nil {
		return 0, err
	}
	for _, s := range list {
		if s.Name == name && f.Type == elf.ET_EXEC {
			return int64(s.Value), nil
		}
	}
	return 0, fmt.Errorf("%s has no fixed %s", program, name)
}
