package drills

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
	"github.com/caddy-realtime/caddy-realtime/internal/spawn"
)

const fullDiskSite = `
http://{{site}} {
	realtime /rt {
		api_key {env.REALTIME_TEST_KEY}
		store {env.REALTIME_TEST_STORE}
		room kept:* {
			subscribe anyone
			publish anyone
			history 10000
		}
		room light:* {
			subscribe anyone
			publish anyone
		}
	}
}
`

// Of the process that has a disk of its own: its folder, and the program of Caddy.
const (
	smallDiskVariable = "REALTIME_TEST_SMALL_DISK"
	smallDiskCaddy    = "REALTIME_TEST_SMALL_DISK_CADDY"
)

// TestDiskFull runs itself again in a namespace of its own, where it may mount a small disk.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv(smallDiskVariable); dir != "" {
		fillDisk(t, dir, os.Getenv(smallDiskCaddy))
		return
	}
	row := newRow(t, "no connection ends; rooms without history go on; no gap, no repeat; all that was acknowledged is there after a restart", "the disk of the store is full for a while")
	c := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	c.Env = append(os.Environ(), smallDiskVariable+"="+t.TempDir(), smallDiskCaddy+"="+integration.Program(t), "REALTIME_DRILLS_TABLE=")
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	over, err := spawn.Start(c, syscall.SIGKILL)
	if err == nil {
		<-over
	}
	switch came := diskFigure.FindStringSubmatch(out.String()); {
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.ENOSPC), strings.Contains(out.String(), "no mount:"):
		t.Skipf("this machine allows no disk in a namespace: %v %s", err, &out)
	case err != nil || !c.ProcessState.Success() || came == nil:
		t.Errorf("%v\n%s", err, &out)
	default:
		row.came("%s", came[1])
		t.Log(came[1])
	}
}

var diskFigure = regexp.MustCompile(`came of it: (.*)`)

func fillDisk(t *testing.T, dir, program string) {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+strconv.Itoa(sized(8, 64))+"m"); err != nil {
		t.Fatalf("no mount: %v", err)
	}
	p := integration.StartProgram(t, program, fullDiskSite, "REALTIME_TEST_KEY="+appKey, "REALTIME_TEST_STORE="+filepath.Join(dir, "store"))
	d := newDrill(t, "http://"+p.Addr("site")+"/rt", checker.Options{})
	d.away = true
	kept, light := channelsOf("kept", 4), channelsOf("light", 2)
	for i := range 20 {
		d.subscriber(kept[i%4])
		d.streamer(false, kept[i%4])
		d.subscriber(light[i%2])
	}
	for _, s := range d.subscribers {
		d.following.Go(func() { d.comeBack(s) })
	}
	d.gathered()
	d.publisher(&publisher{name: "ws", way: &byWS{base: d.base, away: true}, pick: turns(kept, 1), pause: 10 * time.Millisecond, size: 1000})
	app := newHTTP(d.base, appKey, true)
	app.away = true
	d.publisher(&publisher{name: "batch", way: app, pick: turns(kept, 2), pause: 10 * time.Millisecond, size: 1000})
	free := &publisher{name: "light", way: &byWS{base: d.base, keyless: true}, pick: turns(light, 1), pause: 10 * time.Millisecond}
	d.publisher(free)
	d.publish()
	d.goOn(50)

	ballast := filepath.Join(dir, "ballast")
	fill(t, ballast)
	full := time.Now()
	waiting := d.retries()
	until(t, "publishes are rejected", func() bool { return d.retries() > waiting+10 })
	went := free.acked.Load()
	until(t, "rooms without history go on", func() bool { return free.acked.Load() > went+20 })
	time.Sleep(sized(time.Second, 20*time.Second))
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	lasted := time.Since(full)
	freed := time.Now()
	d.goOn(100)
	back := time.Since(freed)
	if n := d.checker.Check().Disconnects; n > 0 {
		t.Errorf("%d connections have ended", n)
	}
	p.Kill()
	p.Start()
	d.goOn(20)
	d.settle()
	r := d.verdict()
	if first := len(d.subscribers) + len(d.subscribers)/3; r.Gaps > 0 || r.Subscriptions-r.Recovered != first {
		t.Errorf("%d gaps, and %d of %d subscriptions have recovered; only the first ones and those without history have nothing to recover",
			r.Gaps, r.Recovered, r.Subscriptions)
	}
	t.Logf("came of it: full for %.1f s, %d publishes rejected; 100 acknowledged %v after there is space; %s", lasted.Seconds(), d.retries()-waiting, back.Round(time.Millisecond), summary(d, r))
}

// fill writes a file until the disk is full.
func fill(t *testing.T, file string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}
