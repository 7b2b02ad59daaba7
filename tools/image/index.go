package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// write makes the layout and returns the digest of the index in it.
func write(r *recipe, roots pairs, when time.Time, out string) (string, error) {
	if _, err := os.Stat(out); err == nil {
		return "", fmt.Errorf("write %s: it is there already", out)
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, root := range roots {
		image, err := r.image(root.name, root.value, when)
		if err != nil {
			return "", fmt.Errorf("image for %s: %w", root.name, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{
			MediaType: types.OCIManifestSchema1,
			Platform:  &v1.Platform{OS: "linux", Architecture: root.name},
		}})
	}
	index, ok := mutate.Annotations(index, r.labels).(v1.ImageIndex)
	if !ok {
		return "", fmt.Errorf("write %s: the index lost its form under its annotations", out)
	}
	digest, err := index.Digest()
	if err != nil {
		return "", fmt.Errorf("digest of the index: %w", err)
	}
	// One index around the one of the image: a layout's own index lists what lies in the folder.
	all, err := layout.Write(out, empty.Index)
	if err != nil {
		return "", fmt.Errorf("write %s: %w", out, err)
	}
	if err := all.AppendIndex(index); err != nil {
		return "", fmt.Errorf("write %s: %w", out, err)
	}
	return digest.String(), nil
}

func (r *recipe) image(arch, root string, when time.Time) (v1.Image, error) {
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	created := v1.Time{Time: when}
	for _, file := range r.copies {
		layer, err := layer(file, root, when)
		if err != nil {
			return nil, err
		}
		image, err = mutate.Append(image, mutate.Addendum{
			Layer:     layer,
			MediaType: types.OCILayer,
			History:   v1.History{Created: created, CreatedBy: "COPY " + file.from + " " + file.to},
		})
		if err != nil {
			return nil, err
		}
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = "linux", arch, created
	ports := map[string]struct{}{}
	for _, port := range r.ports {
		if !strings.Contains(port, "/") {
			port += "/tcp"
		}
		ports[port] = struct{}{}
	}
	config.Config = v1.Config{
		User: r.user, ExposedPorts: ports, Entrypoint: r.entrypoint, Cmd: r.cmd, Labels: r.labels,
		// What docker sets where nothing else does.
		Env:        []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		WorkingDir: "/",
	}
	return mutate.ConfigFile(image, config)
}
