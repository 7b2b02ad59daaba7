// Makes the images that the Dockerfile describes, without a daemon: one OCI layout for a stage, with an index over its
// architectures. What the Dockerfile's earlier stages would have built is taken from folders.
//
// usage: image --stage NAME --out FOLDER [--arg NAME=VALUE ...] --from ARCH=FOLDER [--from ...]
//
// A COPY of /src/x is read from ARCH's FOLDER/src/x. Every time in the image is SOURCE_DATE_EPOCH's, or 1970.
package main

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "image: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	dockerfile := flag.String("dockerfile", "Dockerfile", "what describes the images")
	stage := flag.String("stage", "", "which of its stages")
	out := flag.String("out", "", "folder of the OCI layout; it must not be there yet")
	args, roots := pairs{}, pairs{}
	flag.Var(&args, "arg", "NAME=VALUE of an ARG; repeated")
	flag.Var(&roots, "from", "ARCH=FOLDER with what is copied; repeated")
	flag.Parse()
	if *stage == "" || *out == "" || len(roots) == 0 || flag.NArg() > 0 {
		flag.Usage()
		return fmt.Errorf("--stage, --out and --from are needed, and nothing else is taken")
	}
	when, err := epoch()
	if err != nil {
		return err
	}
	recipe, err := read(*dockerfile, *stage, args)
	if err != nil {
		return err
	}
	digest, err := write(recipe, roots, when, *out)
	if err != nil {
		return err
	}
	fmt.Println(digest)
	return nil
}

// epoch is the one time of everything in the image.
func epoch() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return time.Unix(0, 0).UTC(), nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH is no number of seconds: %q", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// pairs are NAME=VALUE flags, in the order in which they were given.
type pairs []pair

type pair struct{ name, value string }

func (p *pairs) String() string { return "" }

func (p *pairs) Set(text string) error {
	name, value, found := strings.Cut(text, "=")
	if !found || name == "" {
		return fmt.Errorf("%q is no NAME=VALUE", text)
	}
	*p = append(*p, pair{name, value})
	return nil
}

func (p pairs) get(name string) (string, bool) {
	for _, pair := range p {
		if pair.name == name {
			return pair.value, true
		}
	}
	return "", false
}
