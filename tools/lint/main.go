// Command lint checks Dockerfiles by the rules of BuildKit, the builder of Docker, without building them. It asks no registry:
// every base image counts as one without a configuration.
//
//	go run . ../../Dockerfile ../../examples/cluster/Dockerfile
//
// It exits with 1 if a file cannot be parsed or breaks a rule.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

func main() {
	ok := true
	for _, path := range os.Args[1:] {
		found, err := lint(path)
		if err != nil {
			found = append(found, fmt.Sprintf("%s: %v", path, err))
		}
		for _, line := range found {
			fmt.Fprintln(os.Stderr, line)
		}
		ok = ok && len(found) == 0
	}
	if !ok || len(os.Args) < 2 {
		os.Exit(1)
	}
}

// lint returns a line for each rule that a Dockerfile breaks.
func lint(path string) (found []string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	results, err := dockerfile2llb.DockerfileLint(context.Background(), text, dockerfile2llb.ConvertOpt{
		SourceMap:      &llb.SourceMap{Definition: new(llb.Definition), Filename: path, Language: "Dockerfile", Data: text},
		TargetPlatform: &ocispecs.Platform{OS: "linux", Architecture: "amd64"},
		MetaResolver:   offline{},
	})
	if err != nil {
		return nil, err
	}
	if e := results.Error; e != nil {
		found = append(found, fmt.Sprintf("%s:%d: %s", path, line(&e.Location), e.Message))
	}
	for _, w := range results.Warnings {
		found = append(found, fmt.Sprintf("%s:%d: %s: %s (%s)", path, line(w.Location), w.RuleName, w.Detail, w.URL))
	}
	return found, nil
}

// line is the first line of a place, 0 if it is not known.
func line(at *pb.Location) int32 {
	if len(at.Ranges) == 0 {
		return 0
	}
	return at.Ranges[0].Start.Line
}

// offline resolves every image to one without a configuration.
type offline struct{}

func (offline) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	config, err := json.Marshal(ocispecs.Image{Platform: ocispecs.Platform{OS: "linux", Architecture: "amd64"}})
	return ref, digest.FromBytes(config), config, err
}
