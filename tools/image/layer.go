package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// layer holds one file and the folders above it, all root's: what docker makes of a COPY into an empty image.
func layer(file copied, root string, when time.Time) (v1.Layer, error) {
	from := filepath.Join(root, filepath.FromSlash(file.from))
	about, err := os.Stat(from)
	if err != nil {
		return nil, err
	}
	if !about.Mode().IsRegular() {
		return nil, fmt.Errorf("copy %s: it is no file", from)
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return nil, err
	}
	// The owner's right to run it decides: a umask on the machine that builds does not.
	mode := int64(0o644)
	if about.Mode()&0o100 != 0 {
		mode = 0o755
	}

	var packed bytes.Buffer
	to := tar.NewWriter(&packed)
	name := strings.TrimPrefix(path.Clean(file.to), "/")
	for at, letter := range name {
		if letter == '/' {
			if err := to.WriteHeader(header(name[:at+1], tar.TypeDir, 0o755, 0, when)); err != nil {
				return nil, fmt.Errorf("pack %s: %w", name, err)
			}
		}
	}
	if err := to.WriteHeader(header(name, tar.TypeReg, mode, int64(len(content)), when)); err != nil {
		return nil, fmt.Errorf("pack %s: %w", name, err)
	}
	if _, err := to.Write(content); err != nil {
		return nil, fmt.Errorf("pack %s: %w", name, err)
	}
	if err := to.Close(); err != nil {
		return nil, fmt.Errorf("pack %s: %w", name, err)
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer), tarball.WithCompressionLevel(9))
}

func header(name string, kind byte, mode, size int64, when time.Time) *tar.Header {
	return &tar.Header{Name: name, Typeflag: kind, Mode: mode, Size: size, ModTime: when, Format: tar.FormatUSTAR}
}
