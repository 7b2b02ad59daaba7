package main

import (
	"archive/tar"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// ours reads a stage of the real Dockerfile and lays out a folder that has what it copies.
func ours(t *testing.T, stage string) (*recipe, string) {
	t.Helper()
	r, err := read("../../Dockerfile", stage, pairs{{"VERSION", "9.9.9"}, {"SOURCE", "https://example.com/it"}})
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for _, file := range r.copies {
		path := filepath.Join(root, file.from)
		mode := os.FileMode(0o600)
		if strings.HasPrefix(filepath.Base(path), "avnm-") && filepath.Ext(path) == "" {
			mode = 0o700
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(file.to), mode); err != nil {
			t.Fatal(err)
		}
	}
	return r, root
}

func written(t *testing.T, r *recipe, root string, when time.Time) (string, v1.ImageIndex) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "layout")
	digest, err := write(r, pairs{{"amd64", root}, {"arm64", root}}, when, out)
	if err != nil {
		t.Fatal(err)
	}
	index, err := layout.ImageIndexFromPath(out)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := v1.NewHash(digest)
	if err != nil {
		t.Fatal(err)
	}
	inner, err := index.ImageIndex(hash)
	if err != nil {
		t.Fatal(err)
	}
	return digest, inner
}

func TestTheImagesRunAsNobodyWithoutAShell(t *testing.T) {
	for stage, ports := range map[string][]string{"operator": {"8080", "8081"}, "emulator": {"8443"}} {
		r, _ := ours(t, stage)
		if r.user != "65532:65532" || !slices.Equal(r.entrypoint, []string{"/avnm-" + stage}) || !slices.Equal(r.ports, ports) {
			t.Errorf("%s: user %s, entrypoint %v, ports %v", stage, r.user, r.entrypoint, r.ports)
		}
		var files []string
		for _, file := range r.copies {
			files = append(files, file.to)
		}
		want := []string{"/usr/share/sbom/avnm-" + stage + ".cdx.json", "/avnm-" + stage}
		if stage == "operator" {
			want = append([]string{"/etc/ssl/certs/ca-certificates.crt"}, want...)
		}
		if !slices.Equal(files, want) {
			t.Errorf("%s holds %v, not %v", stage, files, want)
		}
		if r.labels["org.opencontainers.image.version"] != "9.9.9" || r.labels["org.opencontainers.image.source"] != "https://example.com/it" {
			t.Errorf("%s: labels %v", stage, r.labels)
		}
	}
}

func TestTheLayoutIsValidAndTheSameForTheSameInput(t *testing.T) {
	r, root := ours(t, "operator")
	when := time.Unix(1_700_000_000, 0).UTC()
	first, index := written(t, r, root, when)
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	// Neither the times of the files nor the builder's umask are in it.
	for _, file := range r.copies {
		path := filepath.Join(root, file.from)
		about, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, about.Mode()|0o044); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	if again, _ := written(t, r, root, when); again != first {
		t.Errorf("%s and then %s", first, again)
	}
	if later, _ := written(t, r, root, when.Add(time.Second)); later == first {
		t.Error("another time is not in it")
	}
}

func TestFilesAreRootsAndRunOnlyWhereTheyDid(t *testing.T) {
	r, root := ours(t, "operator")
	when := time.Unix(1_700_000_000, 0).UTC()
	for _, file := range r.copies {
		made, err := layer(file, root, when)
		if err != nil {
			t.Fatal(err)
		}
		packed, err := made.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		defer packed.Close()
		for from := tar.NewReader(packed); ; {
			has, err := from.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			mode := int64(0o644)
			if has.Typeflag == tar.TypeDir || has.Name == "avnm-operator" {
				mode = 0o755
			}
			if has.Mode != mode || has.Uid != 0 || has.Gid != 0 || !has.ModTime.Equal(when) {
				t.Errorf("%s: mode %o of %d:%d, %s", has.Name, has.Mode, has.Uid, has.Gid, has.ModTime)
			}
		}
	}
}

func TestBothArchitecturesHaveTheConfigOfTheDockerfile(t *testing.T) {
	r, root := ours(t, "emulator")
	_, index := written(t, r, root, time.Unix(0, 0).UTC())
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var archs []string
	for _, entry := range manifest.Manifests {
		archs = append(archs, entry.Platform.Architecture)
		image, err := index.Image(entry.Digest)
		if err != nil {
			t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if config.Architecture != entry.Platform.Architecture || config.OS != "linux" {
			t.Errorf("%s/%s under %s", config.OS, config.Architecture, entry.Platform)
		}
		has := config.Config
		if has.User != r.user || !reflect.DeepEqual(has.Labels, r.labels) || !slices.Equal(has.Entrypoint, r.entrypoint) ||
			!slices.Equal(has.Cmd, []string{"--listen", "0.0.0.0:8443"}) {
			t.Errorf("%+v", has)
		}
		if _, open := has.ExposedPorts["8443/tcp"]; !open || len(has.ExposedPorts) != 1 {
			t.Errorf("ports %v", has.ExposedPorts)
		}
	}
	if !slices.Equal(archs, []string{"amd64", "arm64"}) {
		t.Errorf("architectures %v", archs)
	}
}

func TestWhatIsNotKnownIsRefused(t *testing.T) {
	for _, line := range []string{
		"RUN true", "ENV A=b", "WORKDIR /x", "VOLUME /data", "SHELL [\"sh\"]", "ADD a /a", "COPY a /a",
		"COPY --from=build --chmod=700 /a /a", "COPY --from=build /a* /a", "COPY --from=build /a /b /c/",
		"ENTRYPOINT avnm", "CMD avnm", "HEALTHCHECK CMD [\"/a\"]", "STOPSIGNAL SIGINT",
	} {
		path := filepath.Join(t.TempDir(), "Dockerfile")
		if err := os.WriteFile(path, []byte("FROM scratch AS one\n"+line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := read(path, "one", nil); err == nil {
			t.Errorf("%s was taken", line)
		}
	}
	path := filepath.Join(t.TempDir(), "Dockerfile")
	if err := os.WriteFile(path, []byte("FROM alpine AS one\nUSER 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := read(path, "one", nil); err == nil {
		t.Error("a base that is no empty one was taken")
	}
}
