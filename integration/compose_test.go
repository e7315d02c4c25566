package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// composeService is what is looked at of a service of the compose file.
type composeService struct {
	Build       struct{ Context, Dockerfile string }
	Image       string
	Environment map[string]string
	Volumes     []string
	DependsOn   []string `yaml:"depends_on"`
}

// The compose file of the example names what there is, and each Caddy in it gets a
// configuration that Caddy takes.
func TestExampleCompose(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(root(), "examples", "cluster")
	text, err := os.ReadFile(filepath.Join(dir, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Services map[string]composeService
		Volumes  map[string]any
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	caddys := 0
	for name, s := range file.Services {
		for _, other := range append(s.DependsOn, hosts(s.Environment["NODES"]+" "+s.Environment["REDIS"])...) {
			if _, ok := file.Services[other]; !ok {
				t.Errorf("%s needs %s, which is no service", name, other)
			}
		}
		if s.Image == "" {
			if _, err := os.Stat(filepath.Join(dir, s.Build.Context, s.Build.Dockerfile)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, volume := range s.Volumes {
			from, to, _ := strings.Cut(volume, ":")
			if _, named := file.Volumes[from]; named {
				continue
			}
			if _, err := os.Stat(filepath.Join(dir, from)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if strings.HasPrefix(to, "/etc/caddy/Caddyfile") {
				caddys++
				validate(t, filepath.Join(dir, from), s.Environment)
			}
		}
	}
	if caddys != 3 {
		t.Errorf("%d Caddys, want two behind a third", caddys)
	}
}

// hosts are the names in addresses.
func hosts(addresses string) (names []string) {
	for _, address := range strings.Fields(addresses) {
		host, _, _ := strings.Cut(address, ":")
		names = append(names, host)
	}
	return names
}

// validate has the program look at a Caddyfile in an environment.
func validate(t *testing.T, caddyfile string, env map[string]string) {
	t.Helper()
	cmd := exec.Command(build(t), "validate", "--adapter", "caddyfile", "--config", caddyfile)
	cmd.Env = []string{"HOME=" + t.TempDir()}
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "Valid configuration") {
		t.Errorf("%s: %v\n%s", caddyfile, err, out)
	}
}
